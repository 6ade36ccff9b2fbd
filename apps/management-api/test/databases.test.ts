import { describeDatabases } from './databases.suite.ts';
import { makePlainRole } from './plain-role.ts';
import { startTestDatabase } from './test-database.ts';

describeDatabases('the embedded server, as its superuser', startTestDatabase);

describeDatabases('a server of somebody else, as a role that may make roles and databases', async () => {
  const server = await startTestDatabase();
  return { adminUrl: await makePlainRole(server.adminUrl), close: () => server.close() };
});
