ALTER TABLE "checkout_sessions" ADD COLUMN "plan" jsonb;--> statement-breakpoint
ALTER TABLE "sandbox_transactions" ADD COLUMN "subscription_status" text;--> statement-breakpoint
ALTER TABLE "sandbox_transactions" ADD COLUMN "changes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "suspend_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "delete_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "webhook_events" ADD COLUMN "subscription_id" text GENERATED ALWAYS AS (case when event_type like 'subscription.%' then payload #>> '{data,id}'
        when event_type like 'transaction.%' then payload #>> '{data,subscription_id}' end) STORED;--> statement-breakpoint
CREATE INDEX "webhook_events_subscription" ON "webhook_events" USING btree ("subscription_id");--> statement-breakpoint
CREATE INDEX "webhook_events_unprocessed" ON "webhook_events" USING btree ("received_at") WHERE processed_at is null;