// Puts back the rules of the host that somebody flushed.

import { DEFAULT_TIMEOUT } from '../cni/network-configuration.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { NAT_DIRECTORY } from '../nat/record-files.ts';
import { restoreNat } from '../nat/restore.ts';
import { defineCommand } from './command.ts';

export const restoreCommand = defineCommand({
	name: 'restore',
	summary: 'puts back the rules for host ports, masquerade and isolation',
	details: `For a host on which "nft flush ruleset", a reload of firewalld or a restart of Docker has removed them. What
is recorded of each network and each attachment is put back at once, and nothing else is touched; running
containers need not be restarted. The next ADD does the same by itself.`,
	options: {
		'nat-dir': { type: 'string', value: 'DIR', about: `the records of rules; ${NAT_DIRECTORY} unless given` },
	},
	async run({ 'nat-dir': directory = NAT_DIRECTORY }) {
		const { networks, attachments } = await restoreNat(directory, performance.now() + DEFAULT_TIMEOUT);
		writeStdout(`restored the rules of ${count(networks, 'network')} and ${count(attachments, 'attachment')}\n`);
		return 0;
	},
});

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? '' : 's'}`;
}
