package conf

func (b *builder) lint() {}

func (r *reader) lintRegex(v aclValue) {}
