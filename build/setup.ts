// Installs what this machine lacks for what is to be run on it: `node build/setup.ts demo|test|vm|bench`.

import { BuildError, runScript } from './run.ts';
import { type DebianNeed, installDebianPackages } from './setup/debian.ts';
import { unpackDocker } from './setup/docker.ts';
import { installGoTools } from './setup/go-tools.ts';
import { installGuest } from './setup/guest.ts';

const IP: DebianNeed = { file: 'ip', debianPackage: 'iproute2' };
const PING: DebianNeed = { file: 'ping', debianPackage: 'iputils-ping' };
const CURL: DebianNeed = { file: 'curl', debianPackage: 'curl' };
const NFT: DebianNeed = { file: 'nft', debianPackage: 'nftables' };
const IPTABLES: DebianNeed = { file: 'iptables', debianPackage: 'iptables' };
const TEST_TOOLS: readonly DebianNeed[] = [
	IP,
	PING,
	NFT,
	IPTABLES,
	{ file: 'tcpdump', debianPackage: 'tcpdump' },
	{ file: 'strace', debianPackage: 'strace' },
	{ file: 'ps', debianPackage: 'procps' },
	{ file: 'nsenter', debianPackage: 'util-linux' },
	CURL,
	{ file: 'openssl', debianPackage: 'openssl' },
	{ file: 'jq', debianPackage: 'jq' },
];
// Not systemd-sysv: what this machine boots with stays as it is.
const SYSTEMD: DebianNeed = { file: '/lib/systemd/systemd', debianPackage: 'systemd' };

interface Purpose {
	readonly debian: readonly DebianNeed[];
	/** What else has to be there. */
	readonly steps: readonly (() => Promise<void> | void)[];
	/** Whether to go on without what cannot be installed. */
	readonly lenient: boolean;
}

const PURPOSES: Record<string, Purpose> = {
	demo: { debian: [IP, PING, CURL], steps: [], lenient: false },
	// What a test lacks, it names itself; the others are still worth running.
	test: { debian: [...TEST_TOOLS, SYSTEMD], steps: [installGoTools, unpackDocker], lenient: true },
	vm: { debian: TEST_TOOLS, steps: [installGuest], lenient: false },
	// The reference plugins start nft and iptables.
	bench: { debian: [IP, NFT, IPTABLES], steps: [installGoTools], lenient: false },
};

await runScript(async () => {
	const purpose = PURPOSES[process.argv[2] ?? ''];
	if (purpose === undefined) {
		throw new BuildError(
			`setting up "${process.argv[2] ?? ''}": expected one of ${Object.keys(PURPOSES).join(', ')}`,
		);
	}
	const failures: BuildError[] = [];
	for (const step of [() => installDebianPackages(purpose.debian), ...purpose.steps]) {
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
