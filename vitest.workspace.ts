/** Every folder that has tests. `vitest.config.ts` reads this list: Vitest 4 no longer reads the file by itself. */
const projects: string[] = ['packages/*', 'apps/*', 'tools'];

export default projects;
