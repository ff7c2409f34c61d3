"""The database itself refuses to change words that were published: notifications were made of them."""

from django.db import migrations

CONTENT, VERSION = "templates_app_templatecontent", "templates_app_templateversion"
REFUSAL = "published versions never change"

POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION templates_app_words_stay() RETURNS trigger AS $$
BEGIN
  IF (SELECT state FROM {VERSION} WHERE id = OLD.version_id) <> 'draft' THEN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE TRIGGER templates_app_words_stay BEFORE UPDATE ON {CONTENT}
  FOR EACH ROW EXECUTE FUNCTION templates_app_words_stay();

CREATE OR REPLACE FUNCTION templates_app_variables_stay() RETURNS trigger AS $$
BEGIN
  IF OLD.state <> 'draft' AND (NEW.state = 'draft' OR NEW.variables <> OLD.variables OR NEW.number <> OLD.number) THEN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE TRIGGER templates_app_variables_stay BEFORE UPDATE OF state, variables, number ON {VERSION}
  FOR EACH ROW EXECUTE FUNCTION templates_app_variables_stay();
"""
POSTGRESQL_BACK = f"""
DROP TRIGGER IF EXISTS templates_app_words_stay ON {CONTENT};
DROP TRIGGER IF EXISTS templates_app_variables_stay ON {VERSION};
DROP FUNCTION IF EXISTS templates_app_words_stay();
DROP FUNCTION IF EXISTS templates_app_variables_stay();
"""


def make(apps, schema_editor):
    """On PostgreSQL alone: SQLite cannot rebuild a table that a trigger of another one reads, so there the model guards."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)


class Migration(migrations.Migration):
    dependencies = [("templates_app", "0002_template_life")]
    operations = [migrations.RunPython(make, drop)]
