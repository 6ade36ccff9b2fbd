/** A `services/` that loads and does nothing yet, by path from the project's root. */
export const serviceFiles: Readonly<Record<string, string>> = {
  'services/config/config.yaml': `# What the server reads first: settings for everything under services/.
settings:
  agent_port_range: [3100, 3199]
  mcp_port_range: [3200, 3299]
  auto_start_enabled: true
  validation_strict: false
  schema_validation_mode: warn
`,
  'services/ai/config.yaml': `# Enable a provider after its key is a secret of the tenant.
ai:
  default_provider: anthropic
  providers:
    anthropic:
      enabled: false
      default_model: claude-sonnet-4-20250514
`,
  'services/agents/assistant.yaml': `agents:
  assistant:
    name: assistant
    port: 3100
    default: true
    card:
      displayName: Assistant
      description: Answers questions.
`,
  'services/content/config.yaml': `content_sources: {}
`,
  'services/web/templates/page.html': `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>{{TITLE}}</title></head>
  <body><main>{{CONTENT}}</main></body>
</html>
`,
  // Where the tenant keeps what is uploaded; git keeps no empty folder.
  'storage/files/.gitkeep': '',
};
