import { Client } from 'pg';
import { describeDatabases } from './databases.suite.ts';
import { startTestDatabase } from './test-database.ts';

describeDatabases('the embedded server, as its superuser', startTestDatabase);

describeDatabases('a server of somebody else, as a role that may make roles and databases', async () => {
  const server = await startTestDatabase();
  const client = new Client({ connectionString: server.adminUrl });
  await client.connect();
  // What a hosted Postgres gives to its customer.
  await client.query(`create role cloud_admin login createrole createdb password 'cloud-admin-password'`);
  await client.query(`grant pg_signal_backend to cloud_admin`);
  await client.query('create database control owner cloud_admin');
  await client.end();
  const url = new URL(server.adminUrl);
  url.username = 'cloud_admin';
  url.password = 'cloud-admin-password';
  url.pathname = '/control';
  return { adminUrl: url.href, close: () => server.close() };
});
