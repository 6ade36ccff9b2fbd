CREATE TABLE "workflow_recoveries" (
	"workflow_id" text PRIMARY KEY NOT NULL,
	"tenant_id" uuid,
	"steps" integer NOT NULL,
	"recoveries" integer DEFAULT 0 NOT NULL,
	"executor_id" text,
	"handed_over_by" text,
	"probed_at" timestamp with time zone,
	"given_up_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
