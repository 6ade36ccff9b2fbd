CREATE TABLE "audit_counts" (
	"chain" text NOT NULL,
	"action" text NOT NULL,
	"outcome" text NOT NULL,
	"code" text NOT NULL,
	"hour" integer NOT NULL,
	"user_id" uuid,
	"count" integer NOT NULL,
	CONSTRAINT "audit_counts_chain_action_outcome_code_hour_pk" PRIMARY KEY("chain","action","outcome","code","hour")
);
--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "repeated" integer;