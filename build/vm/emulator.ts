// Runs QEMU until the guest turns itself off.

import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BuildError } from '../run.ts';
import { findExecutable } from '../setup/debian.ts';
import { END_OF_RUN, MACHINE_TAG } from './init.ts';

export interface Guest {
	readonly kernel: string;
	readonly initramfs: string;
	/** Where the kernel's messages go. */
	readonly log: string;
	/** Ends it. */
	readonly until: AbortSignal;
}

/**
 * Whether the processor runs the guest; otherwise it is emulated, which is slow. There is a /dev/kvm that does without the
 * processor's help (kvm_pvm), in which only kernels made for it start.
 */
export function hasKvm(): boolean {
	try {
		accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
	} catch {
		return false;
	}
	return /^flags\s*:.* (?:vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

/** Passes on what the guest's command prints, and gives its exit status; undefined when the guest ended before it did. */
export async function runGuest(guest: Guest): Promise<number | undefined> {
	const command = findExecutable('qemu-system-x86_64');
	if (command === undefined) throw new BuildError('starting the virtual machine: there is no qemu-system-x86_64');
	const emulator = spawn(command, parametersFor(guest), {
		stdio: ['ignore', 'pipe', 'inherit'],
		signal: guest.until,
		killSignal: 'SIGKILL',
	});
	const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
	emulator.on('close', resolve).on('error', (error) => {
		if (error.name !== 'AbortError') reject(error);
	});
	let status: number | undefined;
	for await (const line of createInterface(emulator.stdout)) {
		if (line.startsWith(END_OF_RUN)) status = Number(line.slice(END_OF_RUN.length));
		else console.log(line);
	}
	await closed;
	return status;
}

function parametersFor({ kernel, initramfs, log }: Guest): string[] {
	const files = `local,path=/,mount_tag=${MACHINE_TAG},security_model=none,readonly=on,multidevs=remap`;
	return [
		['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
		['-machine', 'q35', '-accel', hasKvm() ? 'kvm' : 'tcg', '-cpu', 'max', '-smp', '2', '-m', '3G'],
		['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=-1'],
		['-virtfs', files, '-device', 'virtio-rng-pci', '-serial', `file:${log}`, '-serial', 'stdio'],
	].flat();
}
