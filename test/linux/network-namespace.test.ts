import { readdirSync, readlinkSync } from 'node:fs';
import test from 'ava';
import { toCniError } from '../../src/cni/errors.ts';
import { isOwnNamespace, NamespaceError, openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { createNamespace } from '../helpers/namespace.ts';

const current = () => readlinkSync('/proc/thread-self/ns/net');

test.serial('a call is made in the namespace, and comes back with its value', (t) => {
	const outside = current();
	const namespace = openNetworkNamespace(createNamespace(t, 'ns').path);
	t.teardown(() => namespace.close());
	const inside = namespace.run(current);
	t.not(inside, outside);
	t.is(namespace.run(current), inside);
	t.is(current(), outside);
});

test.serial('a call that throws comes back, too', (t) => {
	const outside = current();
	const namespace = openNetworkNamespace(createNamespace(t, 'ns').path);
	t.teardown(() => namespace.close());
	const fail = () => {
		throw new Error('inside');
	};
	t.throws(() => namespace.run(fail), { message: 'inside' });
	t.is(current(), outside);
});

test.serial('calls may be nested', (t) => {
	const outside = current();
	const [one, other] = [
		openNetworkNamespace(createNamespace(t, 'ns').path),
		openNetworkNamespace(createNamespace(t, 'ns').path),
	];
	t.teardown(() => {
		one.close();
		other.close();
	});
	const inOne = one.run(current);
	const seen = one.run(() => [current(), other.run(current), current()]);
	t.is(current(), outside);
	t.is(seen[0], inOne);
	t.not(seen[1], inOne);
});

test.serial("whether a namespace is the process's own", (t) => {
	const own = openNetworkNamespace('/proc/self/ns/net');
	const other = openNetworkNamespace(createNamespace(t, 'ns').path);
	t.teardown(() => {
		own.close();
		other.close();
	});
	t.true(isOwnNamespace(own));
	t.false(isOwnNamespace(other));
});

const wrong = {
	'/run/netns/no-such-namespace': ['ENOENT', 'no such file (ENOENT); the container may be gone'],
	'/proc/self/ns/net/x': ['ENOTDIR', 'ENOTDIR'],
	'/dev/null': ['ENOTNS', 'the file is not a network namespace'],
	'/proc/self/ns/uts': ['ENOTNS', 'the file is not a network namespace'],
	'/tmp': ['ENOTNS', 'the file is not a network namespace'],
} as const;
for (const [path, [code, reason]] of Object.entries(wrong)) {
	test.serial(`${path} is no network namespace`, (t) => {
		const error = t.throws(() => openNetworkNamespace(path).run(current), { instanceOf: NamespaceError });
		t.is(error.message, `opening network namespace "${path}": ${reason}`);
		t.is(error.code, code);
		t.is(toCniError(error).code, 8);
	});
}

test.serial('a namespace that is closed leaves no descriptor', (t) => {
	const { path } = createNamespace(t, 'ns');
	const before = readdirSync('/proc/self/fd').length;
	const namespace = openNetworkNamespace(path);
	namespace.run(() => undefined);
	namespace.close();
	t.is(readdirSync('/proc/self/fd').length, before);
});
