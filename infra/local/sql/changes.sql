-- Optional, once per database, as a superuser: tells the credential broker at once that something in the database changed, so
-- that open sessions are masked by what it is now. Without it the broker asks every CS_DESCRIBE_EVERY_MS.

CREATE SCHEMA IF NOT EXISTS countersign;
REVOKE ALL ON SCHEMA countersign FROM PUBLIC;

CREATE OR REPLACE FUNCTION countersign.tell_of_change() RETURNS event_trigger
  LANGUAGE plpgsql SET search_path = pg_catalog AS
$$ BEGIN PERFORM pg_catalog.pg_notify('countersign_changed', ''); END $$;

DROP EVENT TRIGGER IF EXISTS countersign_changed;
CREATE EVENT TRIGGER countersign_changed ON ddl_command_end EXECUTE FUNCTION countersign.tell_of_change();
DROP EVENT TRIGGER IF EXISTS countersign_dropped;
CREATE EVENT TRIGGER countersign_dropped ON sql_drop EXECUTE FUNCTION countersign.tell_of_change();
