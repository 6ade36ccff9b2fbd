/** The shortest local profile that is right. */
export function profileText(): string {
  return `name: local
display_name: Local
target: local
site: { name: site, github_link: null }
database: { type: postgres }
server:
  host: '127.0.0.1'
  port: 8080
  api_server_url: http://localhost:8080
  api_internal_url: http://localhost:8080
  api_external_url: http://localhost:8080
paths: { system: ., services: ., bin: . }
security:
  jwt_issuer: systemprompt-local
  jwt_access_token_expiration: 60
  jwt_refresh_token_expiration: 60
  jwt_audiences: [web, own]
rate_limits: {}
`;
}
