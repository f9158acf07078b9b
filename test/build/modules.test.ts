// In what order the virtual machine loads its kernel's modules.

import test from 'ava';
import { BuildError } from '../../build/run.ts';
import { modulesInOrder } from '../../build/vm/modules.ts';

// busybox's depmod names what is needed in no order.
const dependencies = `kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz kernel/fs/fscache/fscache.ko.xz
kernel/net/9p/9pnet.ko.xz: kernel/fs/netfs/netfs.ko.xz
kernel/fs/fscache/fscache.ko.xz:
kernel/fs/netfs/netfs.ko.xz: kernel/fs/fscache/fscache.ko.xz
kernel/drivers/virtio/virtio-ring.ko.xz:
`;
const builtin = 'kernel/fs/ext4/ext4.ko\nkernel/drivers/virtio/virtio_pci.ko\n';

test('a module comes after all that it needs, each once', (t) => {
	t.deepEqual(modulesInOrder(['9p', '9pnet'], dependencies, builtin), [
		'kernel/fs/fscache/fscache.ko.xz',
		'kernel/fs/netfs/netfs.ko.xz',
		'kernel/net/9p/9pnet.ko.xz',
		'kernel/fs/9p/9p.ko.xz',
	]);
});

test('what is built into the kernel needs no loading', (t) => {
	t.deepEqual(modulesInOrder(['ext4', 'virtio_pci'], dependencies, builtin), []);
});

test('a hyphen in the name of a file is an underscore in that of the module', (t) => {
	t.deepEqual(modulesInOrder(['virtio_ring'], dependencies, builtin), ['kernel/drivers/virtio/virtio-ring.ko.xz']);
});

test('a module that the kernel does not have', (t) => {
	t.throws(() => modulesInOrder(['overlay'], dependencies, builtin), {
		instanceOf: BuildError,
		message: 'loading the module "overlay": this kernel has none',
	});
});
