// A machine of a test's own that systemd has booted: the files of this one, with changes that nobody else sees.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { until } from './cluster-process.ts';
import { systemPath } from './command.ts';
import { type Namespace, namespaceAt } from './namespace.ts';

export interface SystemdMachine extends Namespace {
	/** Writes a file of the machine. */
	write(path: string, text: string): void;
	/** Copies a file into it. */
	copy(from: string, path: string): void;
	/** Shows properties of a unit. */
	show<Property extends string>(unit: string, ...properties: readonly Property[]): Record<Property, string>;
	/** What a unit has written. */
	journal(unit: string): string;
	/** Makes a namespace for a container, as a runtime on the machine does. */
	container(): Namespace;
	reboot(): Promise<void>;
}

/** Boots a machine on the network of a host. It goes when the test ends. */
export async function bootSystemd(t: ExecutionContext, host: Namespace): Promise<SystemdMachine> {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-systemd-'));
	for (const place of ['root', 'scratch']) mkdirSync(join(directory, place));
	const script = join(import.meta.dirname, 'systemd-machine.sh');
	// It must not outlive the tests, however they end.
	const words = ['--pdeathsig', 'TERM', 'nsenter', `--net=${host.path}`, 'unshare', '--mount', '--propagation'];
	const child = spawn('setpriv', [...words, 'slave', 'sh', script, directory], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	let said = '';
	child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
	const closed = once(child, 'close');
	t.teardown(async () => {
		child.kill('SIGTERM');
		const [status] = (await closed) as [number];
		rmSync(directory, { recursive: true });
		if (status !== 0) throw new Error(`ending a machine with systemd: status ${status}: ${said}`);
	});
	const pid = join(directory, 'pid');
	const enter = `exec nsenter --target "$(cat ${pid})" --mount --pid --net --uts --ipc --cgroup "$@"`;
	const inside = ['sh', '-c', enter, 'enter'];
	const machine = namespaceAt(host.name, host.path, inside);
	const pathOf = (path: string): string => `/proc/${readFileSync(pid, 'utf8').trim()}/root${path}`;
	const booted = async (): Promise<void> => {
		const isUp = () => existsSync(pid) && machine.run(['systemctl', 'is-active', 'multi-user.target']).status === 0;
		await until('systemd to boot', () => isUp() || hasEnded(child), 30_000);
		if (hasEnded(child)) throw new Error(`systemd did not boot: ${said}`);
	};
	await booted();
	return {
		...machine,
		write: (path, text) => writeFileSync(pathOf(path), text),
		copy: (from, path) => cpSync(from, pathOf(path), { dereference: true }),
		show: <Property extends string>(unit: string, ...properties: readonly Property[]) => {
			const lines = machine
				.must(['systemctl', 'show', unit, '--property', properties.join()])
				.trimEnd()
				.split('\n');
			return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2))) as Record<Property, string>;
		},
		journal: (unit) => machine.must(['journalctl', '--unit', unit, '--output', 'cat']),
		container: () => {
			const name = `container-${randomBytes(4).toString('hex')}`;
			machine.must(['ip', 'netns', 'add', name]);
			return namespaceAt(name, `/run/netns/${name}`, [...inside, 'ip', 'netns', 'exec', name]);
		},
		reboot: async () => {
			const before = readFileSync(pid, 'utf8');
			machine.run(['systemctl', 'reboot']);
			await until('systemd to end', () => !existsSync(pid) || readFileSync(pid, 'utf8') !== before, 20_000);
			await booted();
		},
	};
}

function hasEnded(child: ChildProcess): boolean {
	return child.exitCode !== null || child.signalCode !== null;
}
