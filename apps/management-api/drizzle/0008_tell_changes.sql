-- Tells every process, at commit, what it may no longer remember. On the tables themselves, so that no way to write is
-- forgotten.
CREATE FUNCTION "tell_tenants"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		PERFORM pg_notify('sp_changes', 'tenants ' || OLD.owner_id);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM pg_notify('sp_changes', 'tenants ' || NEW.owner_id);
	END IF;
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE FUNCTION "tell_tenant_secrets"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('sp_changes', 'tenants ' || owner_id) FROM tenants
		WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END;
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE FUNCTION "tell_access"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('sp_changes', 'access ' || OLD.user_id);
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE FUNCTION "tell_users"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('sp_changes', 'access ' || OLD.id);
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE FUNCTION "tell_keys"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('sp_changes', 'keys');
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE FUNCTION "tell_all"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('sp_changes', 'all');
	RETURN NULL;
END;
$$;--> statement-breakpoint
CREATE TRIGGER "tenants_told" AFTER INSERT OR UPDATE OR DELETE ON "tenants" FOR EACH ROW EXECUTE FUNCTION "tell_tenants"();--> statement-breakpoint
CREATE TRIGGER "tenants_told_all" AFTER TRUNCATE ON "tenants" FOR EACH STATEMENT EXECUTE FUNCTION "tell_all"();--> statement-breakpoint
CREATE TRIGGER "tenant_secrets_told" AFTER INSERT OR UPDATE OR DELETE ON "tenant_secrets" FOR EACH ROW EXECUTE FUNCTION "tell_tenant_secrets"();--> statement-breakpoint
CREATE TRIGGER "tenant_secrets_told_all" AFTER TRUNCATE ON "tenant_secrets" FOR EACH STATEMENT EXECUTE FUNCTION "tell_all"();--> statement-breakpoint
-- Not that a session or a token was used, which is written often and ends nothing.
CREATE TRIGGER "login_sessions_changed" AFTER UPDATE ON "login_sessions" FOR EACH ROW
	WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at OR NEW.expires_at < OLD.expires_at OR OLD.user_id <> NEW.user_id)
	EXECUTE FUNCTION "tell_access"();--> statement-breakpoint
CREATE TRIGGER "login_sessions_deleted" AFTER DELETE ON "login_sessions" FOR EACH ROW EXECUTE FUNCTION "tell_access"();--> statement-breakpoint
CREATE TRIGGER "login_sessions_told_all" AFTER TRUNCATE ON "login_sessions" FOR EACH STATEMENT EXECUTE FUNCTION "tell_all"();--> statement-breakpoint
CREATE TRIGGER "api_tokens_changed" AFTER UPDATE ON "api_tokens" FOR EACH ROW
	WHEN (to_jsonb(OLD) - 'last_used_at' IS DISTINCT FROM to_jsonb(NEW) - 'last_used_at')
	EXECUTE FUNCTION "tell_access"();--> statement-breakpoint
CREATE TRIGGER "api_tokens_deleted" AFTER DELETE ON "api_tokens" FOR EACH ROW EXECUTE FUNCTION "tell_access"();--> statement-breakpoint
CREATE TRIGGER "api_tokens_told_all" AFTER TRUNCATE ON "api_tokens" FOR EACH STATEMENT EXECUTE FUNCTION "tell_all"();--> statement-breakpoint
CREATE TRIGGER "users_changed" AFTER UPDATE ON "users" FOR EACH ROW
	WHEN (OLD.email IS DISTINCT FROM NEW.email OR OLD.id <> NEW.id) EXECUTE FUNCTION "tell_users"();--> statement-breakpoint
CREATE TRIGGER "users_deleted" AFTER DELETE ON "users" FOR EACH ROW EXECUTE FUNCTION "tell_users"();--> statement-breakpoint
CREATE TRIGGER "signing_keys_told" AFTER UPDATE OR DELETE OR TRUNCATE ON "signing_keys" FOR EACH STATEMENT EXECUTE FUNCTION "tell_keys"();
