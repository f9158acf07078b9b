// What an operator does with leases.
import { executable } from './cni.ts';
import type { Outcome } from './command.ts';
import type { Host } from './host.ts';

/** Runs `mesos-overlay leases …` on a host, with its data directory. */
export function leases(host: Host, words: readonly string[], dataDir = host.dataDir): Outcome {
	return host.run([executable, 'leases', ...words, '--data-dir', dataDir]);
}

export interface Shown {
	readonly address: string;
	readonly containerId: string;
	readonly namespace: string;
	readonly boot: string;
	readonly quarantineSeconds: number;
}

/** What `--json` shows. */
export function shown(host: Host): Shown[] {
	return JSON.parse(leases(host, ['--json']).stdout) as Shown[];
}
