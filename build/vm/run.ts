// Runs tests on another kernel, in a virtual machine with this machine's files: `node build/vm/run.ts [test file]...`.

import { writeFileSync } from 'node:fs';
import { cacheDirectory, projectDirectory, systemPath } from '../project.ts';
import { runScript } from '../run.ts';
import { guestDirectory, guestRelease } from '../setup/guest.ts';
import { hasKvm, runGuest } from './emulator.ts';
import { createInitramfs } from './initramfs.ts';

/** Those that many a kernel cannot run. */
const DEFAULT_FILES = ['test/e2e/vlan.test.ts'];
const LIMIT_MINUTES = 10;

await runScript(async () => {
	const files = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT_FILES;
	// Without KVM, a file may take longer than ava's patience.
	const command = [process.execPath, 'build/test.ts', ...files, `--timeout=${LIMIT_MINUTES}m`];
	const initramfs = `${cacheDirectory}/vm/initramfs`;
	const environment = { HOME: '/root', PATH: systemPath() };
	writeFileSync(initramfs, createInitramfs(projectDirectory, command, environment));

	const interruption = new AbortController();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
	const until = AbortSignal.any([interruption.signal, AbortSignal.timeout(LIMIT_MINUTES * 60_000)]);
	const log = `${cacheDirectory}/vm/console.log`;

	console.log(`starting Linux ${guestRelease()}${hasKvm() ? '' : ' without KVM, which is slow'}`);
	const status = await runGuest({
		kernel: `${guestDirectory}/boot/vmlinuz-${guestRelease()}`,
		initramfs,
		log,
		until,
	});
	if (status === undefined) {
		const limit = interruption.signal.aborted ? 'it was interrupted' : `the limit is ${LIMIT_MINUTES} minutes`;
		const reason = until.aborted ? limit : `it ended too early, see ${log}`;
		console.log(`\nrunning the virtual machine: ${reason}\n\n0 passed, 1 failed`);
	}
	process.exitCode = status ?? 1;
});
