// Drives the executable by cnitool, which is libcni: what containerd, CRI-O and podman call through.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable, toolDirectory } from './cni.ts';
import { type Outcome, systemPath } from './command.ts';
import type { Host } from './host.ts';
import type { Namespace } from './namespace.ts';
import type { Configuration } from './network-configuration.ts';

export type Verb = 'add' | 'check' | 'gc' | 'status' | 'del';

/** Runs one verb; `variables` are cnitool's own, such as CNI_ARGS and CAP_ARGS. */
export type Cnitool = (verb: Verb, container: Namespace, variables?: Readonly<Record<string, string>>) => Outcome;

/** Gives a function that runs one verb of cnitool for a list of one plugin. */
export function createCnitool(host: Host, configuration: Configuration): Cnitool {
	const plugins = join(host.directory, 'plugins');
	const lists = join(host.directory, 'net.d');
	const cache = join(host.directory, 'cache');
	for (const directory of [plugins, lists, cache]) mkdirSync(directory);
	for (const name of ['mesos-overlay', 'mesos-overlay-ipam']) symlinkSync(executable, join(plugins, name));
	const { cniVersion, name, ...plugin } = configuration;
	writeFileSync(join(lists, '10-list.conflist'), JSON.stringify({ cniVersion, name, plugins: [plugin] }));
	const environment = { PATH: systemPath, NETCONFPATH: lists, CNI_PATH: `${plugins}:${toolDirectory}` };
	// libcni's cache is at a fixed place; `ip netns exec` has given us a mount namespace of our own
	const script = 'mount --bind "$0" /var/lib && exec "$@"';
	return (verb, container, variables) =>
		host.run(['sh', '-c', script, cache, join(toolDirectory, 'cnitool'), verb, host.network, container.path], {
			environment: { ...environment, ...variables },
		});
}
