// A web server that says which address it sees, in containers of Docker and elsewhere, and who asks it.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { until } from './cluster-process.ts';
import { type Outcome, runOrThrow, systemPath } from './command.ts';
import { busybox } from './docker-programs.ts';
import type { Namespace } from './namespace.ts';

/** Starts the server, in a container of {@link makeImage}. */
export const serveSeen = ['httpd', '-f', '-p', '80', '-h', '/pages'];

/** The address without the form in which a socket of both families has it. */
const SCRIPT = `#!/bin/sh
echo
echo "$REMOTE_ADDR" | sed 's/[][]//g; s/^::ffff://'
`;

/** Makes the archive of an image for `docker import`; gives its path. */
export function makeImage(directory: string): string {
	const root = `${directory}/image`;
	mkdirSync(`${root}/bin`, { recursive: true });
	cpSync(busybox, `${root}/bin/busybox`);
	for (const name of ['sh', 'httpd', 'sed']) symlinkSync('busybox', `${root}/bin/${name}`);
	makePages(`${root}/pages`);
	runOrThrow(['tar', '-c', '-f', `${root}.tar`, '-C', root, '.']);
	return `${root}.tar`;
}

function makePages(directory: string): void {
	const script = `${directory}/cgi-bin/seen`;
	mkdirSync(`${directory}/cgi-bin`, { recursive: true });
	writeFileSync(script, SCRIPT);
	chmodSync(script, 0o755);
}

/** Serves in a namespace until the test ends. */
export async function startSeen(t: ExecutionContext, at: Namespace): Promise<void> {
	const pages = mkdtempSync(join(tmpdir(), 'mesos-overlay-pages-'));
	t.teardown(() => rmSync(pages, { recursive: true, force: true }));
	makePages(pages);
	const child = spawn('nsenter', [`--net=${at.path}`, busybox, 'httpd', '-f', '-p', '80', '-h', pages], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	await until(
		'the web server',
		() => at.run(['sh', '-c', 'ss --no-header -tln sport = 80 | grep .']).status === 0,
		20_000,
	);
}

/** Runs a program where somebody is. */
export type Runner = (argv: readonly string[]) => Promise<Outcome>;

/** In a namespace, with busybox. */
export function runnerIn(at: Namespace): Runner {
	return (argv) => at.start(argv, { environment: { PATH: `${dirname(busybox)}:${systemPath}` } });
}

/**
 * Asks at all addresses at once; gives what each has seen, by its address, without those that did not answer within two
 * seconds.
 */
export async function askSeen(runs: Runner, addresses: readonly string[]): Promise<Readonly<Record<string, string>>> {
	const asked = addresses.map((address) => {
		const url = `http://${address.includes('::') ? `[${address}]` : address}/cgi-bin/seen`;
		// Not by its own -T, with which this wget may crash.
		return `(seen=$(busybox timeout 2 busybox wget -q -O - '${url}' 2>/dev/null) && echo "${address} $seen") &`;
	});
	const { stdout } = await runs(['sh', '-c', [...asked, 'wait'].join('\n')]);
	const lines = stdout.split('\n').filter((line) => line !== '');
	return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}
