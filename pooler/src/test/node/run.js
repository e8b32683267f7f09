// node run.js SCENARIO HOST PORT DATABASE: plays one scenario and prints what it saw, a line for each sight.
import * as nodePostgres from './node-postgres.js';
import * as postgresJs from './postgres-js.js';

const [name, host, port, database] = process.argv.slice(2);
const scenario = nodePostgres[name] ?? postgresJs[name];
if (!scenario) {
  throw new Error(`no scenario ${name}`);
}
const see = (...seen) => console.log(seen.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' '));
await scenario({ host, port: Number(port), database, user: 'postgres' }, see);
