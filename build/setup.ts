// Installs what this machine lacks for the demo, the tests or the benchmarks: `node build/setup.ts demo|test|bench`.

import { BuildError, runScript } from './run.ts';
import { type DebianNeed, installDebianPackages } from './setup/debian.ts';
import { installGoTools } from './setup/go-tools.ts';

const IP: DebianNeed = { file: 'ip', debianPackage: 'iproute2' };
const PING: DebianNeed = { file: 'ping', debianPackage: 'iputils-ping' };

interface Purpose {
	readonly debian: readonly DebianNeed[];
	readonly goTools: boolean;
	/** Whether to go on without what cannot be installed. */
	readonly lenient: boolean;
}

const PURPOSES: Record<string, Purpose> = {
	demo: { debian: [IP, PING], goTools: false, lenient: false },
	// What a test lacks, it names itself; the others are still worth running.
	test: {
		debian: [
			IP,
			PING,
			{ file: 'nft', debianPackage: 'nftables' },
			{ file: 'tcpdump', debianPackage: 'tcpdump' },
			{ file: 'ps', debianPackage: 'procps' },
			{ file: 'nsenter', debianPackage: 'util-linux' },
		],
		goTools: true,
		lenient: true,
	},
	bench: { debian: [IP], goTools: true, lenient: false },
};

await runScript(async () => {
	const purpose = PURPOSES[process.argv[2] ?? ''];
	if (purpose === undefined) {
		throw new BuildError(
			`setting up "${process.argv[2] ?? ''}": expected one of ${Object.keys(PURPOSES).join(', ')}`,
		);
	}
	const failures: BuildError[] = [];
	const steps = [async () => installDebianPackages(purpose.debian), ...(purpose.goTools ? [installGoTools] : [])];
	for (const step of steps) {
		try {
			await step();
		} catch (error) {
			if (!(error instanceof BuildError)) throw error;
			failures.push(error);
		}
	}
	if (failures.length === 0) return;
	const messages = failures.map((failure) => failure.message).join('\n\n');
	if (!purpose.lenient) throw new BuildError(messages);
	console.error(`${messages}\n\ngoing on without: the tests that need it will be skipped or fail`);
});
