ALTER TABLE "tenant_secrets" DROP CONSTRAINT "tenant_secrets_tenant_id_kind_name_pk";--> statement-breakpoint
ALTER TABLE "tenant_secrets" ALTER COLUMN "ciphertext" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "tenant_secrets" ADD CONSTRAINT "tenant_secrets_tenant_id_kind_name_version_pk" PRIMARY KEY("tenant_id","kind","name","version");--> statement-breakpoint
ALTER TABLE "releases" ADD COLUMN "secrets_version" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "releases" ADD COLUMN "rollback_of" integer;--> statement-breakpoint
ALTER TABLE "releases" ADD COLUMN "created_by" uuid;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
UPDATE "releases" SET "secrets_version" = coalesce((SELECT max("version") FROM "tenant_secrets" WHERE "tenant_secrets"."tenant_id" = "releases"."tenant_id" AND "kind" = 'user'), 0);
