package bank

// What readers of a journal find in the bytes of a command.

// MonetaryPolicyOf reads the policy that an encoded command sets, if it sets
// one.
func MonetaryPolicyOf(command []byte) (policy MonetaryPolicy, sets bool) {
	r := reader{src: command}
	if kind(r.u8()) != kindSetMonetaryPolicy {
		return policy, false
	}
	r.id()
	policy = readMonetaryPolicy(&r)
	return policy, r.finished()
}

// AssetOf reads the asset that an encoded command registers, if it does.
func AssetOf(command []byte) (asset RegisterAsset, registers bool) {
	r := reader{src: command}
	if kind(r.u8()) != kindRegisterAsset {
		return asset, false
	}
	asset = RegisterAsset{Key: r.id(), Code: string(r.text8()), Scale: r.u8(), World: r.u32()}
	return asset, r.finished()
}

// WorldOf reads the world that an encoded command registers, if it does.
func WorldOf(command []byte) (world RegisterWorld, registers bool) {
	r := reader{src: command}
	if kind(r.u8()) != kindRegisterWorld {
		return world, false
	}
	world = RegisterWorld{Key: r.id(), Code: string(r.text8())}
	return world, r.finished()
}
