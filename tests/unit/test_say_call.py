"""The example for ``tokenq board --on-call``."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy/sound/say-call"


@pytest.mark.parametrize(("language", "voice"), [("de", "de"), ("zh-CN", "cmn-latn-pinyin"), ("", "en")])
def test_it_takes_the_voice_of_the_language_and_the_sentence_as_text(tmp_path: Path, language: str, voice: str) -> None:
    """A sentence that begins with a hyphen is no option."""
    speaker = tmp_path / "espeak-ng"
    speaker.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    speaker.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TOKENQ_LANGUAGE": language}
    done = subprocess.run([SCRIPT, "-w /etc/x $(id)"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"-v|{voice}|-s|140|--|-w /etc/x $(id)|"
