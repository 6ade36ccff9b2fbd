import { join } from 'node:path';

/** What the container is called and made of. */
export interface ContainerSettings {
  /** Name of the container; its volume is `<name>-data`. */
  readonly name: string;
  readonly image: string;
  readonly password: string;
  /** On 127.0.0.1. */
  readonly port: number;
}

/** The role that may do everything on the server. */
export const adminRole = 'systemprompt_admin';

/** The file, in a folder of the project's own. */
export function composeFilePath(folder: string): string {
  return join(folder, 'shared.yaml');
}

/** The Compose file of the server. It holds the password, so it belongs into a private file. */
export function renderComposeFile({ name, image, password, port }: ContainerSettings): string {
  return `services:
  postgres:
    image: ${JSON.stringify(image)}
    container_name: ${JSON.stringify(name)}
    restart: unless-stopped
    # Docker's own: a network for each project stays behind, and there is room for about thirty.
    network_mode: bridge
    environment:
      POSTGRES_USER: ${adminRole}
      POSTGRES_PASSWORD: ${JSON.stringify(password.replaceAll('$', '$$$$'))}
      POSTGRES_DB: postgres
    ports:
      - "127.0.0.1:${port}:5432"
    volumes:
      - data:/var/lib/postgresql
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U ${adminRole} -d postgres"]
      interval: 5s
      timeout: 5s
      retries: 5
volumes:
  data:
    name: ${JSON.stringify(`${name}-data`)}
`;
}
