// postgres.js: prepares everything under names of its own, pipelines, and asks for parameter types with Describe.
import postgres from 'postgres';

const failure = (error) => `${error.code} ${error.message} ${error.detail ?? ''}`;
const attempt = (promise) => promise.then((rows) => [...rows], failure);
const opened = (way, more = {}) => postgres({ ...way, max: 3, onnotice: () => {}, ...more });

async function everyday(sql, see) {
  for (let i = 0; i < 12; i++) {
    see(await attempt(sql`SELECT ${i}::int + 1 AS n, ${`t${i}`}::text AS t`));
    see(await attempt(sql`SELECT 60 / ${i % 3}::int AS q`));
    see(await attempt(sql`SELECT * FROM not_there WHERE a = ${i}`));
  }
  see(await attempt(sql.unsafe('SELECT 1 AS a; SELECT 2 AS b')));
  see(await attempt(sql`SELECT ${sql.json({ k: [1, null] })}::jsonb AS j, ${[1, 2]}::int[] AS a, ${new Date(0)}::timestamptz AS i, ${null}::text AS n`));
}

export async function tagged(way, see) {
  const sql = opened(way);
  await everyday(sql, see);
  await sql.end();
}

export async function taggedWithoutNames(way, see) {
  const sql = opened(way, { prepare: false });
  await everyday(sql, see);
  await sql.end();
}

export async function taggedAllAtOnce(way, see) {
  const sql = opened(way, { max: 2 });
  const asked = Array.from({ length: 200 }, (_, i) => attempt(sql`SELECT 100 / ${i % 10}::int AS q, ${i}::int AS i`));
  for (const answer of await Promise.all(asked)) {
    see(answer);
  }
  await sql.end();
}

export async function taggedTransactions(way, see) {
  const sql = opened(way);
  await sql`DROP TABLE IF EXISTS tagged_account`;
  await sql`CREATE TABLE tagged_account (id int PRIMARY KEY, cents int)`;
  await sql`INSERT INTO tagged_account ${sql([{ id: 1, cents: 1000 }, { id: 2, cents: 1000 }])}`;
  const transfer = (token) =>
    sql
      .begin(async (inside) => {
        await inside`UPDATE tagged_account SET cents = cents - ${token} WHERE id = 1`;
        await inside.savepoint((deeper) => deeper`SELECT 1/0`).catch((error) => error.code);
        await inside`UPDATE tagged_account SET cents = cents + ${token} WHERE id = 2`;
        if (token % 10 === 9) {
          throw new Error('given up');
        }
        return 'done';
      })
      .catch((error) => error.message);
  for (const done of await Promise.all(Array.from({ length: 40 }, (_, token) => transfer(token)))) {
    see(done);
  }
  see(await sql.begin('ISOLATION LEVEL SERIALIZABLE READ ONLY', (inside) => [inside`SHOW transaction_isolation`, inside`SHOW transaction_read_only`]));
  see(await attempt(sql`SELECT * FROM tagged_account ORDER BY id`));
  await sql.end();
}

export async function taggedCursors(way, see) {
  const sql = opened(way);
  for (let round = 0; round < 3; round++) {
    let sum = 0;
    await sql`SELECT n FROM generate_series(1, ${100}::int) n`.cursor(13, (rows) => {
      sum += rows.reduce((total, row) => total + row.n, 0);
    });
    see('cursor', sum);
    let portions = 0;
    for await (const rows of sql`SELECT n FROM generate_series(1, ${100}::int) n`.cursor(10)) {
      see(rows.length);
      if (++portions === 3) {
        break;
      }
    }
    let seen = 0;
    await sql`SELECT n FROM generate_series(1, ${50}::int) n`.forEach((row) => (seen += row.n));
    see('each', seen);
    see(await attempt(sql`SELECT ${round}::int AS afterwards`));
  }
  await sql.end();
}

export async function taggedCopy(way, see) {
  const sql = opened(way, { max: 1 });
  await sql`DROP TABLE IF EXISTS tagged_copy`;
  await sql`CREATE TABLE tagged_copy (id int, name text)`;
  const into = await sql`COPY tagged_copy FROM STDIN`.writable();
  for (let i = 0; i < 1000; i++) {
    into.write(`${i}\tname ${i}\n`);
  }
  await new Promise((resolve, reject) => into.on('error', reject).end(resolve));
  see(await attempt(sql`SELECT count(*)::int, sum(id)::int FROM tagged_copy`));
  let bytes = 0;
  for await (const chunk of await sql`COPY tagged_copy TO STDOUT`.readable()) {
    bytes += chunk.length;
  }
  see('read', bytes);
  see(await attempt(sql`SELECT ${1}::int AS afterwards`));
  await sql.end();
}

export async function taggedNotifications(way, see) {
  const sql = opened(way);
  const heard = [];
  let enough;
  const all = new Promise((resolve) => (enough = resolve));
  const { unlisten } = await sql.listen('tagged_news', (payload) => {
    heard.push(payload);
    if (heard.length === 10) {
      enough();
    }
  });
  for (let i = 0; i < 10; i++) {
    await sql.notify('tagged_news', `n${i}`);
  }
  await all;
  see(heard);
  await unlisten();
  see(await attempt(sql`SELECT ${1}::int AS afterwards`));
  await sql.end();
}

export async function taggedCancel(way, see) {
  const sql = opened(way, { max: 1 });
  for (let i = 0; i < 3; i++) {
    const sleeping = sql`SELECT pg_sleep(20)`.execute();
    setTimeout(() => sleeping.cancel(), 150);
    see(await attempt(sleeping));
    see(await attempt(sql`SELECT ${i}::int AS afterwards`));
  }
  await sql.end();
}

export async function taggedSettings(way, see) {
  const sql = opened(way, { max: 2, connection: { application_name: 'tagged', search_path: 'pg_catalog', work_mem: '6MB', statement_timeout: 5000 } });
  for (let i = 0; i < 4; i++) {
    see(await attempt(sql`SELECT current_setting('application_name') a, current_setting('work_mem') w, current_setting('search_path') s, current_setting('statement_timeout') t`));
  }
  await sql.end();
}
