// Packs what the guest needs before it sees this machine's files.

import { readFileSync } from 'node:fs';
import { guestDirectory, guestRelease } from '../setup/guest.ts';
import { type ArchiveEntry, encodeArchive } from './cpio.ts';
import { initScript } from './init.ts';
import { modulesInOrder } from './modules.ts';

/** What it takes to mount this machine's files; the kernel asks for all others by itself. */
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];

/** An initramfs whose guest runs a command in a directory of this machine, and turns itself off. */
export function createInitramfs(
	directory: string,
	command: readonly string[],
	environment: Readonly<Record<string, string>>,
): Buffer {
	const moduleDirectory = `${guestDirectory}/lib/modules`;
	const ofRelease = `${moduleDirectory}/${guestRelease()}`;
	const text = (name: string) => readFileSync(`${ofRelease}/${name}`, 'utf8');
	const modules = modulesInOrder(MODULES, text('modules.dep'), text('modules.builtin')).map(
		(file, index): ArchiveEntry => ({
			path: `modules/${index}.ko`,
			content: readFileSync(`${ofRelease}/${file}`),
		}),
	);
	const script = initScript({
		modules: modules.map(({ path }) => `/${path}`),
		moduleDirectory,
		directory,
		command,
		environment,
	});
	return encodeArchive([
		{ path: 'bin' },
		{ path: 'bin/busybox', content: readFileSync(`${guestDirectory}/bin/busybox`) },
		{ path: 'modules' },
		...modules,
		{ path: 'init', content: Buffer.from(script) },
	]);
}
