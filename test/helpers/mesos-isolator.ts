// Plays the network/cni isolator of a Mesos agent: calls the plugin, and reads its results, as that does.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Answer, invokeLater, toolDirectory } from './cni.ts';
import { eventually, run, runOrThrow } from './command.ts';
import type { Host } from './host.ts';
import { type MesosNetworkInfo, parseNetworkInfo } from './mesos-network-info.ts';
import { type Namespace, namespaceOf } from './namespace.ts';
import type { Configuration } from './network-configuration.ts';

/** What a framework asks of one network: the protobuf mesos.NetworkInfo as JSON. */
export interface NetworkRequest {
	readonly configuration: Configuration;
	readonly networkInfo?: Configuration;
}

export interface MesosContainer extends Namespace {
	readonly containerId: string;
	/** One answer a network, in the order of the request; interface eth0, eth1, … */
	readonly answers: readonly Answer[];
	/** What Mesos read from each; throws where Mesos would have failed the launch. */
	networkInfos(): MesosNetworkInfo[];
	/** Kills the processes, detaches every network, and forgets the container if that went well. */
	destroy(): Promise<readonly Answer[]>;
	/** What a reboot does to the handle: the file may be there, the namespace is not. */
	reboot(): void;
	/** Whether the agent still keeps the container's directory, to try again. */
	isRemembered(): boolean;
}

/** JSON as stout prints it: the keys of every object sorted. */
export function serialise(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(serialise).join(',')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const entries = Object.entries(value).filter(([, member]) => member !== undefined);
	entries.sort(([one], [other]) => (one < other ? -1 : 1));
	return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${serialise(member)}`).join(',')}}`;
}

function spawnInNewNamespace(t: ExecutionContext): ChildProcess {
	const child = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
	t.teardown(() => child.kill('SIGKILL'));
	const ours = readlinkSync('/proc/self/ns/net');
	eventually('the container to leave our namespace', () => readlinkSync(`/proc/${child.pid}/ns/net`) !== ours);
	return child;
}

function withMesosArguments(configuration: Configuration, networkInfo: Configuration): Configuration {
	const given = (configuration['args'] ?? {}) as Configuration;
	return { ...configuration, args: { ...given, 'org.apache.mesos': { network_info: networkInfo } } };
}

/** Launches a container: its namespace, its handle, one ADD a network all at once, and only then lo. */
export async function launch(
	t: ExecutionContext,
	host: Host,
	containerId: string,
	requests: readonly NetworkRequest[],
): Promise<MesosContainer> {
	const child = spawnInNewNamespace(t);
	const directory = join(host.directory, 'isolators/network/cni', containerId);
	const handle = join(directory, 'ns');
	mkdirSync(directory, { recursive: true });
	writeFileSync(handle, '');
	runOrThrow(['mount', '--bind', `/proc/${child.pid}/ns/net`, handle]);
	const unmount = () => run(['umount', '--lazy', handle]);
	t.teardown(unmount);

	const attachments = requests.map(({ configuration, networkInfo = {} }, index) => {
		const network = String(configuration['name']);
		const checkpoint = join(directory, network, 'network.conf');
		mkdirSync(join(directory, network), { recursive: true });
		const complete = withMesosArguments(configuration, { name: network, ...networkInfo });
		writeFileSync(checkpoint, serialise(complete), { mode: 0o600 });
		return { checkpoint, ifname: `eth${index}` };
	});

	const call = async (command: 'ADD' | 'DEL', { checkpoint, ifname }: (typeof attachments)[number]) => {
		const configuration = openSync(checkpoint, 'r');
		try {
			return await invokeLater(host, {
				command,
				containerId,
				ifname,
				path: toolDirectory,
				...(isNamespace(handle) ? { netns: handle } : {}),
				configuration,
			});
		} finally {
			closeSync(configuration);
		}
	};

	const answers = await Promise.all(attachments.map((attachment) => call('ADD', attachment)));
	const namespace = namespaceOf(handle);
	if (answers.every(({ status }) => status === 0)) namespace.must(['ip', 'link', 'set', 'lo', 'up']);

	return {
		...namespace,
		containerId,
		answers,
		networkInfos: () => answers.map(parseNetworkInfo),
		destroy: async () => {
			child.kill('SIGKILL');
			const deleted = await Promise.all(attachments.map((attachment) => call('DEL', attachment)));
			if (deleted.every(({ status }) => status === 0)) {
				unmount();
				rmSync(directory, { recursive: true, force: true });
			}
			return deleted;
		},
		reboot: () => {
			child.kill('SIGKILL');
			unmount();
		},
		isRemembered: () => existsSync(directory),
	};
}

function isNamespace(path: string): boolean {
	return readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.some((line) => line.split(' ')[4] === path && line.includes(' nsfs '));
}
