/** A host that lost its line told watchers of the end of a task before it told them that something was missed, or never. */
import pg from 'pg'
import { expect, test } from 'vitest'
import { Hearing, type Line } from '../../src/tasks/engines/pgmq/hearing.ts'
import { runSql } from '../support/pgmq/database.ts'
import { afterwards } from '../support/afterwards.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { until } from '../support/until.ts'

const server = noPostgres ? undefined : await startPostgres({ fsync: 'off' })

test.skipIf(noPostgres)('what is heard on a new line comes after word of what was missed', async () => {
  const url = server!.url()
  const heard: string[] = []
  const lines: pg.Client[] = []
  const connect = async (): Promise<Line> => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    lines.push(client)
    return { client, hangUp: () => client.end().catch(() => {}) }
  }
  const say = (word: string): Promise<unknown> => runSql(url, `notify words, '${word}'`)
  const hearing = new Hearing({
    channel: 'words',
    connect,
    // On the second line somebody else is quicker.
    ping: async () => {
      if (lines.length > 1) await say('theirs')
      await say('own')
    },
    take: (word) => word === 'own' || (heard.push(word), false),
    hears: () => heard.push('hears'),
    missed: () => heard.push('missed'),
    isDeaf: () => {},
    report: () => {},
  })
  afterwards(() => hearing.close())
  await hearing.open()
  await until('the first word', () => heard.length === 1)
  await runSql(url, `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'`)
  await until('words on the second line', () => heard.length >= 4)
  expect(heard).toEqual(['hears', 'missed', 'theirs', 'hears'])
})
