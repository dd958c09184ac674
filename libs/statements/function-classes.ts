/**
 * The classes of the functions of pg_catalog, by name. The first class whose pattern matches counts; a function that none
 * matches is harmless when PostgreSQL declares it immutable or stable, and otherwise the generator refuses to go on.
 */
export const FUNCTION_CLASSES: readonly {
  readonly name: string
  /** The reason why they are not harmless, or why they are although PostgreSQL calls them volatile. */
  readonly reason: string
  readonly names: RegExp
}[] = [
  {
    name: 'harmless',
    reason: 'Volatile because the answer changes, not because anything is changed.',
    names: of(
      'random random_normal gen_random_uuid uuidv4 uuidv7 clock_timestamp timeofday current_query array_sample array_shuffle',
      'pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size',
      'pg_is_in_recovery pg_jit_available pg_partition_tree pg_partition_ancestors pg_blocking_pids',
      'pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked pg_lock_status pg_prepared_xact',
      'pg_current_wal_lsn pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_last_wal_replay_lsn pg_last_wal_receive_lsn',
      'pg_last_xact_replay_timestamp pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_get_wal_resource_managers',
      'pg_get_wal_summarizer_state pg_available_wal_summaries pg_wal_summary_contents pg_notification_queue_usage',
      'pg_collation_actual_version pg_database_collation_actual_version pg_timezone_abbrevs pg_timezone_names',
      'currval lastval pg_sequence_last_value pg_get_sequence_data pg_sequence_parameters',
      '(?:txid|pg_current_xact_id)\\w*_if_assigned txid_current_snapshot pg_current_snapshot txid_snapshot_(?:send|xip|xmax|xmin) txid_status',
      'txid_visible_in_snapshot pg_xact_status pg_xact_commit_timestamp\\w* pg_last_committed_xact pg_get_multixact_members',
      'pg_stat_get_(?!activity$|backend_activity$|wal_receiver$)\\w+ pg_stat_have_stats pg_control_\\w+ pg_current_logfile',
      'pg_get_shmem_allocations\\w* pg_get_aios pg_get_wait_events pg_get_loaded_modules pg_get_replication_slots',
      'pg_show_replication_origin_status amvalidate querytree pg_options_to_table',
    ),
  },
  {
    name: 'values',
    reason:
      'Returns what users wrote: statistics, statements, settings, bodies of functions. Masked whole.',
    names: of(
      'current_setting pg_stat_get_activity pg_stat_get_backend_activity pg_stat_get_wal_receiver pg_mcv_list_items',
      'pg_show_all_file_settings pg_hba_file_rules pg_ident_file_mappings pg_get_backend_memory_contexts',
      'pg_prepared_statement pg_cursor pg_get_functiondef pg_get_function_sqlbody',
    ),
  },
  {
    name: 'session',
    reason:
      'Changes the state of the session: its locks, its random numbers, its snapshot, its counters.',
    names: of(
      'pg_(?:try_)?advisory_(?:xact_)?(?:un)?lock\\w* setseed pg_stat_clear_snapshot pg_stat_force_next_flush pg_export_snapshot',
    ),
  },
  {
    name: 'transaction',
    reason: 'Gives the transaction an id.',
    names: of('txid_current pg_current_xact_id'),
  },
  { name: 'config', reason: 'Changes a setting.', names: of('set_config') },
  { name: 'notifies', reason: 'Sends a message to other sessions.', names: of('pg_notify') },
  { name: 'writes', reason: 'Changes a sequence.', names: of('nextval setval') },
  {
    name: 'acts-on-others',
    reason: 'Acts on other sessions, or on the server as a whole.',
    names: of(
      'pg_(?:cancel|terminate)_backend pg_reload_conf pg_rotate_logfile\\w* pg_promote pg_switch_wal pg_create_restore_point',
      'pg_log_\\w+ pg_wal_replay_\\w+ pg_backup_\\w+ pg_stat_reset\\w* pg_(?:clear|restore)_\\w+_stats pg_stop_making_pinned_objects',
      'pg_replication_\\w+ pg_logical_\\w+ pg_(?:create|copy|drop)_\\w+ pg_sync_replication_slots pg_import_system_collations',
      'brin_(?:desummarize_range|summarize_\\w+) gin_clean_pending_list pg_nextoid binary_upgrade_\\w+ pg_extension_config_dump',
      'pg_event_trigger_\\w+',
    ),
  },
  { name: 'waits', reason: 'Holds the connection for nothing.', names: of('pg_sleep\\w*') },
  {
    name: 'files',
    reason: 'Reads files of the server, or writes them.',
    names: of(
      'pg_ls_\\w+ pg_read_\\w+ pg_stat_file pg_file_\\w+ lo_import lo_export be_lo_(?:im|ex)port',
    ),
  },
  {
    name: 'large-objects',
    reason: 'Reads or writes large objects, which masking does not see.',
    names: of('(?:be_)?lo_\\w+ loread lowrite'),
  },
  {
    name: 'runs-code',
    reason: 'Runs SQL, a check or an input function that its arguments name.',
    names: of(
      '(?:query|cursor|table|schema|database)_to_xml\\w* pg_input_is_valid pg_input_error_info ts_stat ts_rewrite dblink\\w*',
      'currtid2 \\w+_validator',
    ),
  },
]

function of(...lines: readonly string[]): RegExp {
  return new RegExp(`^(?:${lines.join(' ').split(' ').join('|')})$`)
}
