import test from 'ava';
import { openContainerNamespace } from '../../src/bridge/container-namespace.ts';
import { NamespaceError } from '../../src/linux/network-namespace.ts';
import { requestOf } from '../cni/requests.ts';
import { refuses } from '../cni/assertions.ts';
import { createNamespace } from '../helpers/namespace.ts';

const own = '/proc/self/ns/net';
const open = (netns: string, override?: string) =>
	openContainerNamespace(
		requestOf({}, { netns, environment: override === undefined ? {} : { CNI_NETNS_OVERRIDE: override } }),
	);

test.serial("a container's namespace is opened", (t) => {
	const { path } = createNamespace(t, 'container');
	const namespace = open(path);
	t.teardown(() => namespace.close());
	t.is(namespace.path, path);
});

for (const override of [undefined, '', '0', 'false', 'yes']) {
	test.serial(`our own namespace is refused with CNI_NETNS_OVERRIDE=${override}`, (t) => {
		const message = `using network namespace "${own}": CNI_NETNS is the plugin's own network namespace, not a container's`;
		refuses(t, () => open(own, override), 8, message);
	});
}

for (const override of ['1', 'true', 'TRUE']) {
	test.serial(`our own namespace is opened with CNI_NETNS_OVERRIDE=${override}`, (t) => {
		const namespace = open(own, override);
		t.teardown(() => namespace.close());
		t.is(namespace.path, own);
	});
}

test.serial('a path that leads nowhere', (t) => {
	t.like(
		t.throws(() => open('/run/netns/none-such'), { instanceOf: NamespaceError }),
		{ cniCode: 8, code: 'ENOENT' },
	);
});
