"""The security tests that were asked for: which test proves which row.

Rows 1 to 80 are attacks and what must happen; L1 to L18 are faults that trials have found. Where we do something else,
``DECIDED_OTHERWISE`` has the reason. Tests are ``file::name`` below `tests/`; test_rows.py checks that each exists.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What is tried, and the tests that prove what happens."""

    title: str
    tests: tuple[str, ...]


def row(title: str, *tests: str) -> Row:
    """A row with its tests."""
    return Row(title, tests)


_ACCESS = "integration/test_api_access.py"
_MATRIX = "security/test_role_matrix.py::test_a_role_does_what_the_document_says_and_nothing_else"
_NOBODY = "security/test_role_matrix.py::test_nobody_does_anything_without_a_login"
_PATHS = "security/test_methods_and_paths.py"
_LOGIN = "security/test_login_work.py"
_LIMITS = "security/test_login_limits.py"
_ISSUES = "security/test_issue_limits.py"
_HOSTILE = "security/test_hostile_requests.py"
_STRICT = "integration/test_api_strictness.py"
_SECRETS = "security/test_secrets_stay_inside.py"
_TERMINAL = "security/test_terminal_texts.py::test_each_text_of_the_list_is_made_harmless"
_SCREENS = "screens/test_hostile_text.py::test_hostile_texts_make_the_terminal_do_nothing"
_RECORDS = "integration/test_hostile_records.py::test_every_record_of_the_corpus_is_one_dead_letter_or_none"
_READERS = "integration/test_hostile_records.py::test_every_reader_of_the_topic_reaches_its_end"
_NUMBERING = "unit/test_board_numbering.py"
_MAIL = "security/test_mail_texts.py"
_USERS = "security/test_store_users.py"

ROWS: dict[str, Row] = {
    "1": row(
        "a customer reads another's token", f"{_ACCESS}::test_a_customer_sees_and_cancels_only_own_tokens", _MATRIX
    ),
    "2": row(
        "a customer cancels another's token", f"{_ACCESS}::test_a_customer_sees_and_cancels_only_own_tokens", _MATRIX
    ),
    "3": row(
        "staff work in another department",
        f"{_ACCESS}::test_staff_work_in_their_departments_only",
        "security/test_audit_of_refusals.py::test_a_token_of_another_department_names_that_department",
        "security/test_board_keys.py::test_it_watches_its_departments_only",
        _MATRIX,
    ),
    "4": row(
        "staff set up",
        f"{_ACCESS}::test_every_route_declares_its_roles",
        f"{_ACCESS}::test_only_admins_set_up",
        _MATRIX,
    ),
    "5": row("customers do staff's work", _MATRIX, "security/test_board_keys.py::test_every_other_route_is_forbidden"),
    "6": row(
        "no or a wrong credential",
        f"{_ACCESS}::test_no_route_works_without_a_login",
        _NOBODY,
        "security/test_guessing_keys.py",
    ),
    "7": row(
        "fields that nobody may set",
        "security/test_audit_of_refusals.py::test_each_missing_permission_leaves_one_row",
        f"{_STRICT}::test_a_bad_body_is_refused_and_changes_nothing",
    ),
    "8": row(
        "a higher class without the permission", f"{_ACCESS}::test_a_customer_sees_and_cancels_only_own_tokens", _MATRIX
    ),
    "9": row(
        "a session outlives its rights",
        f"{_ACCESS}::test_a_demoted_or_disabled_user_loses_access_within_a_second",
        "integration/test_api_events.py::test_a_revoked_key_ends_its_streams",
        "security/test_changes_at_once.py",
        "security/test_board_keys.py::test_the_stream_of_a_key_that_loses_a_department_ends",
        "screens/test_console_connection.py::test_somebody_who_is_not_let_in_leaves_with_code_5",
    ),
    "10": row(
        "GET changes something", f"{_PATHS}::test_reading_never_changes", f"{_ACCESS}::test_reading_never_changes"
    ),
    "11": row("another method by header or parameter", f"{_PATHS}::test_the_method_is_the_request_s"),
    "12": row(
        "two values, or somebody else's id",
        f"{_PATHS}::test_a_customer_is_who_has_logged_in",
        f"{_PATHS}::test_a_name_that_comes_twice_is_refused",
        f"{_PATHS}::test_a_parameter_that_comes_twice_is_refused",
    ),
    "13": row(
        "tricks with paths",
        f"{_PATHS}::test_a_strange_department_is_no_other_one",
        f"{_PATHS}::test_redis_has_only_our_keys",
    ),
    "14": row("strange ids of departments", f"{_PATHS}::test_a_department_s_id_is_letters_and_digits"),
    "15": row(
        "reference and figures in production",
        "security/test_api_reference.py::test_a_stranger_does_not_see_it",
        "security/test_api_reference.py::test_figures_need_a_key_from_elsewhere",
        "security/test_api_reference.py::test_it_can_be_switched_off",
    ),
    "16": row(
        "forty failures tell nothing about the machine",
        "security/test_error_texts.py::test_a_failure_is_a_problem_and_tells_nothing_else",
        "security/test_error_texts.py::test_a_database_that_is_away_is_one_sentence",
        "security/test_error_texts.py::test_without_redis_nothing_is_told_about_it",
        "security/test_error_texts.py::test_a_bug_is_one_sentence",
    ),
    "17": row("CORS", "security/test_browsers.py::test_no_other_site_may_read_an_answer"),
    "18": row(
        "a foreign Host",
        "security/test_browsers.py::test_the_host_header_leads_nowhere",
        "security/test_browsers.py::test_an_absolute_address_leads_nowhere",
        "security/test_browsers.py::test_no_link_is_made_of_a_request",
    ),
    "19": row(
        "unknown and known users", f"{_LOGIN}::test_an_unknown_user_costs_and_tells_the_same_as_a_wrong_password"
    ),
    "20": row(
        "impossible passwords",
        f"{_LOGIN}::test_a_password_that_cannot_be_one_is_not_hashed",
        f"{_LOGIN}::test_a_megabyte_is_not_hashed",
        f"{_LOGIN}::test_a_new_password_that_cannot_be_one_is_not_hashed",
    ),
    "21": row("a crowd of logins", f"{_LOGIN}::test_a_crowd_of_logins_waits_in_a_short_queue"),
    "22": row(
        "guessing",
        f"{_LIMITS}::test_processes_count_wrong_passwords_together",
        f"{_LIMITS}::test_a_user_under_attack_from_many_addresses_logs_in_from_the_usual_one",
    ),
    "23": row(
        "tokens of sessions",
        f"{_LOGIN}::test_a_session_s_token_is_random_and_long",
        f"{_ACCESS}::test_secrets_are_not_stored_in_clear_text",
        f"{_ACCESS}::test_logout_ends_the_session",
        f"{_LOGIN}::test_a_password_change_ends_every_session",
        f"{_LOGIN}::test_a_password_that_was_reset_meanwhile_stays_reset",
    ),
    "24": row("a credential in the address", f"{_PATHS}::test_a_credential_in_the_address_is_none"),
    "25": row("forged JSON Web Tokens", f"{_LOGIN}::test_nobody_is_who_a_document_says"),
    "26": row(
        "the first password",
        f"{_ACCESS}::test_the_first_password_only_allows_changing_it",
        "integration/test_operations.py::test_an_api_that_starts_before_its_database_has_an_admin_later",
    ),
    "27": row(
        "the file of credentials",
        "unit/test_client_credentials.py::test_the_file_and_its_folder_are_private_whatever_the_umask",
        "unit/test_client_credentials.py::test_a_file_that_others_may_read_is_refused_with_the_way_to_mend_it",
        "unit/test_client_credentials.py::test_a_link_is_refused",
        "cli/test_cli_failures.py::test_an_unsafe_credentials_file_is_refused_with_the_way_to_mend_it",
    ),
    "28": row(
        "secrets on command lines",
        "security/test_command_lines.py::test_no_command_takes_a_secret_as_a_value",
        "security/test_command_lines.py::test_a_login_shows_its_password_to_nobody",
    ),
    "29": row(
        "plain http, redirects, wrong certificates",
        "unit/test_client_calls.py::test_plain_http_to_another_machine_is_refused",
        "unit/test_client_calls.py::test_a_redirect_is_not_followed",
        "unit/test_certificates.py::test_no_library_sends_anything_to_another_certificate",
        "security/test_lan.py::test_a_changed_certificate_is_said_loudly_and_gets_nothing",
    ),
    "30": row(
        "canary secrets in all outputs",
        f"{_SECRETS}::test_answers_and_pages",
        f"{_SECRETS}::test_commands_also_when_they_explain_themselves",
        f"{_SECRETS}::test_programs_that_cannot_start",
        f"{_SECRETS}::test_command_lines_of_all_processes",
        f"{_SECRETS}::test_logs_also_after_a_crash",
        f"{_SECRETS}::test_dumps_of_the_stores",
        f"{_SECRETS}::test_settings_show_no_secret",
    ),
    "31": row("a flood of one user", f"{_ISSUES}::test_a_flood_of_one_customer_is_stopped_and_others_notice_nothing"),
    "32": row(
        "a rotating X-Forwarded-For",
        f"{_LIMITS}::test_a_changing_header_makes_no_new_client",
        "integration/test_login_limit.py::test_an_unnamed_peer_is_not_trusted",
        "integration/test_login_limit.py::test_a_forged_chain_is_not_trusted",
    ),
    "33": row(
        "a flood while Redis is away",
        f"{_ISSUES}::test_without_redis_numbers_are_limited_too",
        f"{_LIMITS}::test_without_redis_each_process_limits_alone_and_with_it_together_again",
        "security/test_letter_limit.py::test_without_redis_letters_are_limited_too",
    ),
    "34": row("fifty issues at once", f"{_ISSUES}::test_fifty_requests_at_once_take_one_number"),
    "35": row("issue and cancel in a loop", f"{_ISSUES}::test_taking_and_cancelling_in_a_loop_burns_few_numbers"),
    "36": row(
        "bodies and connections without end",
        f"{_HOSTILE}::test_ten_megabytes_are_refused",
        f"{_HOSTILE}::test_a_body_without_end_is_refused",
        f"{_HOSTILE}::test_a_length_that_is_none_is_refused",
        f"{_HOSTILE}::test_two_lengths_smuggle_nothing",
        f"{_HOSTILE}::test_many_that_never_finish_keep_nobody_waiting",
        "security/test_connections.py::test_a_connection_without_a_request_ends",
        "security/test_connections.py::test_what_stands_around_a_body_is_bounded",
        "security/test_lan.py::test_connections_without_a_handshake_keep_nobody_out_and_are_closed",
        "security/test_hostile_servers.py::test_a_refusal_without_end_is_read_no_further_than_needed",
        f"{_STRICT}::test_a_body_that_never_ends_is_given_up",
    ),
    "37": row(
        "confusing JSON",
        f"{_HOSTILE}::test_a_confusing_body_is_refused",
        f"{_HOSTILE}::test_another_kind_of_body_is_no_json",
        f"{_STRICT}::test_a_bad_body_is_refused_and_changes_nothing",
    ),
    "38": row(
        "query parameters without bounds",
        "security/test_query_parameters.py::test_every_query_parameter_is_bounded",
        "security/test_query_parameters.py::test_an_impossible_number_is_refused",
        "security/test_query_parameters.py::test_a_filter_is_no_pattern",
    ),
    "39": row(
        "many streams",
        "integration/test_api_events.py::test_a_hundred_streams_at_once_get_no_more_places_than_one_after_the_other",
        f"{_HOSTILE}::test_streams_that_are_reset_at_once_leave_their_places",
    ),
    "40": row(
        "idempotency keys",
        f"{_HOSTILE}::test_an_odd_key_is_refused",
        f"{_HOSTILE}::test_a_key_cannot_add_a_header",
        f"{_HOSTILE}::test_a_key_is_its_owner_s",
        f"{_HOSTILE}::test_stored_answers_are_forgotten",
    ),
    "41": row("letters to one address", "security/test_letter_limit.py::test_an_address_gets_so_many_letters_an_hour"),
    "42": row("the clipboard", _TERMINAL, _SCREENS),
    "43": row("the title", _TERMINAL, _SCREENS),
    "44": row("clearing the screen", _TERMINAL, _SCREENS),
    "45": row("C1 controls", _TERMINAL, _SCREENS),
    "46": row("C0 controls", _TERMINAL, _SCREENS),
    "47": row("hyperlinks", _TERMINAL, _SCREENS),
    "48": row("sequences that make a terminal answer", _TERMINAL, _SCREENS),
    "49": row("direction and invisible characters", _TERMINAL, _SCREENS),
    "50": row(
        "heaps of marks, long and wide texts",
        _TERMINAL,
        _SCREENS,
        "unit/test_printable.py::test_a_heap_of_marks_is_cut",
    ),
    "51": row("actions in markup", _TERMINAL, _SCREENS),
    "52": row("broken markup", _TERMINAL, "screens/test_console_screen.py::test_survives_every_size"),
    "53": row(
        "output that is not a terminal",
        "security/test_terminal_texts.py::test_commands_print_what_a_server_says_as_text",
        "security/test_terminal_texts.py::test_commands_repeat_what_was_typed_as_text",
    ),
    "54": row(
        "forged lines of the log",
        "security/test_audit_of_refusals.py::test_what_is_typed_as_a_user_name_is_stored_nowhere",
        "security/test_audit_of_refusals.py::test_hostile_paths_and_headers_are_stored_nowhere",
    ),
    "55": row(
        "formulas in CSV",
        "unit/test_report_of_a_day.py::test_no_name_is_a_formula_in_a_spreadsheet_or_acts_on_a_terminal",
    ),
    "56": row("people on boards", "security/test_board_screens.py::test_both_show_the_same_and_name_nobody"),
    "57": row("records that are no event", _RECORDS, _READERS),
    "58": row("records that cannot be decoded", _RECORDS, _READERS, "security/test_batches_on_the_topic.py"),
    "59": row("records with wrong fields", _RECORDS, _READERS, "unit/test_events_between_releases.py"),
    "60": row(
        "a forged event",
        "integration/test_notify.py::test_a_forged_record_is_not_mailed",
        "kafka/test_apache_login.py::test_a_record_of_a_user_who_may_not_write_is_refused",
        "security/test_audit_kinds.py::test_a_security_event_leaves_one_row_and_one_line",
    ),
    "61": row(
        "replayed and future records",
        f"{_NUMBERING}",
        "security/test_board_screens.py::test_forged_records_hide_no_real_call",
    ),
    "62": row("records of two departments swapped", f"{_NUMBERING}"),
    "63": row(
        "the dead-letter queue is away, or full",
        "unit/test_enqueuer.py::test_an_offset_is_committed_only_when_its_rows_are_stored",
        "unit/test_enqueuer.py::test_where_no_dead_letter_can_be_kept_the_store_is_waited_for",
        "integration/test_hostile_records.py::test_a_read_only_database_is_waited_for",
        "security/test_dead_letters.py::test_the_newest_are_kept_and_the_others_counted",
    ),
    "64": row("headers of records", "security/test_records_on_the_topic.py::test_headers_are_not_read"),
    "65": row(
        "addresses elsewhere than they must be",
        "security/test_records_on_the_topic.py::test_an_address_is_left_out_if_it_shall_be",
        "security/test_board_keys.py::test_events_are_public_fields_only",
        "security/test_audit_of_refusals.py::test_nothing_secret_or_personal_is_in_the_audit_or_the_log",
        "security/test_erasing.py::test_nothing_of_an_erased_person_is_left_in_any_store",
        "security/test_postgres_log.py::test_what_the_database_refuses_is_logged_without_values",
    ),
    "66": row(
        "line breaks in names",
        f"{_MAIL}::test_a_name_of_several_lines_is_refused",
        f"{_MAIL}::test_what_is_in_the_database_all_the_same_stays_in_the_body",
    ),
    "67": row(
        "encoded words",
        f"{_MAIL}::test_a_name_of_several_lines_is_refused",
        f"{_MAIL}::test_what_is_in_the_database_all_the_same_stays_in_the_body",
    ),
    "68": row("addresses that are several or none", f"{_MAIL}::test_an_address_is_one_plain_address"),
    "69": row("lines that end a letter", f"{_MAIL}::test_a_mail_server_gets_one_letter_for_one_person"),
    "70": row("HTML in a name", f"{_MAIL}::test_what_is_in_the_database_all_the_same_stays_in_the_body"),
    "71": row(
        "a hostile mail server",
        f"{_MAIL}::test_a_mail_server_that_talks_without_end_is_given_up",
        "security/test_doctor_mail.py::test_a_certificate_that_nobody_signed_is_found",
        "security/test_doctor_mail.py::test_a_server_without_tls_gets_no_password",
    ),
    "72": row("letters that answer letters", f"{_MAIL}::test_what_is_in_the_database_all_the_same_stays_in_the_body"),
    "73": row(
        "SQL in texts",
        "security/test_sql.py::test_what_looks_like_sql_is_text",
        "security/test_sql.py::test_no_statement_is_made_of_a_text_and_a_value",
    ),
    "74": row(
        "what Redis' user may do",
        f"{_USERS}::test_the_limited_user_of_redis_cannot_do_more",
        "security/test_damaged_redis.py::test_the_api_answers_whatever_the_keys_hold",
    ),
    "75": row(
        "what PostgreSQL's users may do",
        f"{_USERS}::test_a_program_cannot_do_what_it_never_does",
        f"{_USERS}::test_nobody_else_can_create_objects_among_our_tables",
    ),
    "76": row("stores without a password", "security/test_production.py"),
    "77": row(
        "stores that forget",
        "integration/test_redis_full.py::test_an_evicting_redis_is_refused_in_production",
        "security/test_stores_that_forget.py::test_production_refuses_a_database_that_forgets",
    ),
    "78": row("dependencies and secrets in the repository", "security/test_supply.py"),
    "79": row("failpoints in production", "unit/test_failpoints.py::test_production_refuses_to_arm_anything"),
    "80": row(
        "one security event each",
        "security/test_audit_kinds.py::test_a_security_event_leaves_one_row_and_one_line",
        "security/test_audit_of_refusals.py::test_each_missing_permission_leaves_one_row",
    ),
    "L1": row(
        "a record in UTF-16 ends notify",
        _RECORDS,
        "integration/test_hostile_records.py::test_notify_continues_between_hostile_records",
    ),
    "L2": row("Kafka with a login", "kafka/test_apache_login.py", "unit/test_kafka_access.py"),
    "L3": row(
        "a forged call hides the real ones",
        f"{_NUMBERING}",
        "security/test_board_screens.py::test_forged_records_hide_no_real_call",
    ),
    "L4": row(
        "guessing from many addresses",
        f"{_LIMITS}::test_a_user_under_attack_from_many_addresses_logs_in_from_the_usual_one",
    ),
    "L5": row("innocent users locked out", f"{_LIMITS}", f"{_LOGIN}::test_a_crowd_of_logins_waits_in_a_short_queue"),
    "L6": row(
        "taking over a counter",
        "integration/test_claiming_counters.py::test_a_counter_that_holds_a_token_is_taken_over_only_by_whoever_may_serve_it",
    ),
    "L7": row("keys and customers that run wild", f"{_ISSUES}", "security/test_letter_limit.py"),
    "L8": row(
        "150 streams at once",
        "integration/test_api_events.py::test_a_hundred_streams_at_once_get_no_more_places_than_one_after_the_other",
    ),
    "L9": row("nothing leaves a trace", "security/test_audit_kinds.py", "security/test_audit_of_refusals.py"),
    "L10": row("one user for all programs", f"{_USERS}"),
    "L11": row("a folder prepared by another", "unit/test_embedded_folder.py"),
    "L12": row("requests that are not strict", f"{_STRICT}", f"{_HOSTILE}"),
    "L13": row(
        "erasing and retention",
        "security/test_erasing.py",
        "security/test_erasing_at_once.py",
        "security/test_erasing_rules.py",
        "security/test_erased_entries.py",
        "security/test_keeping_events.py",
        "security/test_reading_a_shortened_log.py",
        "security/test_shortened_logs_at_random.py",
    ),
    "L14": row("reference and figures in production", "security/test_api_reference.py"),
    "L15": row("PgBouncer", "network/test_pgbouncer.py"),
    "L16": row(
        "the doctor does what the product will do",
        "security/test_doctor_mail.py",
        f"{_USERS}::test_without_a_user_who_loads_functions_it_is_down_and_says_so",
    ),
    "L17": row("versions, their hashes and licences", "security/test_supply.py"),
    "L18": row("pages for browsers: keys in cookies, links, numbers without a login", "security/test_pages.py"),
}
DECIDED_OTHERWISE: dict[str, str] = {
    "7": "A customer who creates a user gets 403, not 422: who may do nothing there learns nothing about its fields.",
    "10": "Methods of another operation at the same address are its own; what only changes something has no GET.",
    "19": "Asserted is the same work, not the same time: a duration would fail on a busy machine.",
    "21": "Too many logins at once get 503 with Retry-After; those of one address or account 429 before.",
    "25": "There are no JSON Web Tokens: sessions and keys are random, and looked up.",
    "28": "`login --password` does not exist; `user create --password` is a switch that asks.",
    "40": "An invalid idempotency key is 422 like every other invalid value, not 400.",
    "70": "Letters have a text and an HTML part; in HTML, all texts are escaped.",
    "78": "Known vulnerabilities are looked up outside the tests, which use no network; `nox -s sbom` writes the list.",
}
"""Where a row says something else than what we do, and why."""
