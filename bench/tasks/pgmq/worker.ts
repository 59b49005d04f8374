/** The process that works where another one starts and waits. Run by the bench: worker.ts <kind> <connection> <lanes> */
import { workApart } from './by-hand.ts'
import { workErrand } from './errand.ts'
import { ownCpu } from './runner.ts'

const [kind = '', connection = '', lanes = ''] = process.argv.slice(2)
const work = kind === 'record' ? workApart : workErrand

process.on('disconnect', () => process.exit())
process.on('message', async () => process.send!(await ownCpu()))
await work({ connection, lanes: Number(lanes) })
process.send!('ready')
