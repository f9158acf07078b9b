// Takes an agent's part off the host, and tells what was left. Its words: where the records of rules are, where the leases are,
// and the networks.
import { removeEverything } from '../../src/agent/remove.ts';

const [directory = '', dataDirectory = '', ...networks] = process.argv.slice(2);
const left = await removeEverything(
	{ vtep: 'vtep1024', rules: { directory, backend: 'auto' }, dataDirectory, networks },
	performance.now() + 20_000,
);
process.stdout.write(JSON.stringify(left));
