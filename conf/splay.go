package conf

// splay is a self-adjusting search tree. 2.6 keeps networks and domains in one,
// and whether it notices that two of them overlap depends on which entries the
// search meets, so the tree's moves are part of the verdict (facts acl_overlap_net,
// acl_dstdomain_02). The moves are the textbook's top-down ones. Its entries lie in
// one piece of memory without pointers: trees of a million are made at a start.
type splay[T any] struct {
	// nodes[0] is no entry: links of 0 lead nowhere, and bring hangs on it what it cuts off.
	nodes []splayNode[T]
	root  uint32
	// compare orders a before (<0) or behind (>0) b; 0 means they collide.
	compare func(a, b T) int
}

type splayNode[T any] struct {
	value       T
	left, right uint32
}

// insert adds value unless it collides with an entry met on the way.
func (s *splay[T]) insert(value T) bool {
	node := splayNode[T]{value: value}
	if s.root == 0 {
		s.nodes = append(s.nodes[:0], splayNode[T]{}, node)
		s.root = 1
		return true
	}
	order := s.bring(value)
	switch old := &s.nodes[s.root]; {
	case order < 0:
		node.left, node.right, old.left = old.left, s.root, 0
	case order > 0:
		node.right, node.left, old.right = old.right, s.root, 0
	default:
		return false
	}
	s.root = uint32(len(s.nodes))
	s.nodes = append(s.nodes, node)
	return true
}

// bring moves the entry nearest to value to the root and returns the last comparison.
func (s *splay[T]) bring(value T) int {
	nodes := s.nodes
	nodes[0].left, nodes[0].right = 0, 0
	smaller, larger, at := &nodes[0], &nodes[0], s.root
	top := &nodes[at]
	var order int
walk:
	for {
		order = s.compare(value, top.value)
		switch {
		case order < 0:
			if top.left == 0 {
				break walk
			}
			if order = s.compare(value, nodes[top.left].value); order < 0 {
				child := top.left
				top.left, nodes[child].right = nodes[child].right, at
				at, top = child, &nodes[child]
				if top.left == 0 {
					break walk
				}
			}
			larger.left, larger = at, top
			at, top = top.left, &nodes[top.left]
		case order > 0:
			if top.right == 0 {
				break walk
			}
			if order = s.compare(value, nodes[top.right].value); order > 0 {
				child := top.right
				top.right, nodes[child].left = nodes[child].left, at
				at, top = child, &nodes[child]
				if top.right == 0 {
					break walk
				}
			}
			smaller.right, smaller = at, top
			at, top = top.right, &nodes[top.right]
		default:
			break walk
		}
	}
	smaller.right, larger.left = top.left, top.right
	top.left, top.right = nodes[0].right, nodes[0].left
	s.root = at
	return order
}

// overlap says in 2.6's words that one of two values of an ACL lies in the other and
// that fresh, which came later, is left out. what is the kind of value.
func (b *builder) overlap(what, narrow, wide, fresh string) {
	b.say("WARNING: '%s' is a sub%s of '%s'", narrow, what, wide)
	b.say("WARNING: because of this '%s' is ignored to keep splay tree searching predictable", fresh)
	b.say("WARNING: You should probably remove '%s' from the ACL named '%s'", narrow, b.aclName)
}
