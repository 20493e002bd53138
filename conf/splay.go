package conf

// splay is a self-adjusting search tree. 2.6 keeps networks and domains in one,
// and whether it notices that two of them overlap depends on which entries the
// search meets, so the tree's moves are part of the verdict (facts acl_overlap_net,
// acl_dstdomain_02). The moves are the textbook's top-down ones.
type splay[T any] struct {
	root *splayNode[T]
	// compare orders a before (<0) or behind (>0) b; 0 means they collide.
	compare func(a, b T) int
}

type splayNode[T any] struct {
	value       T
	left, right *splayNode[T]
}

// insert adds value unless it collides with an entry met on the way.
func (s *splay[T]) insert(value T) bool {
	if s.root == nil {
		s.root = &splayNode[T]{value: value}
		return true
	}
	order := s.bring(value)
	node := &splayNode[T]{value: value}
	switch old := s.root; {
	case order < 0:
		node.left, node.right, old.left = old.left, old, nil
	case order > 0:
		node.right, node.left, old.right = old.right, old, nil
	default:
		return false
	}
	s.root = node
	return true
}

// bring moves the entry nearest to value to the root and returns the last comparison.
func (s *splay[T]) bring(value T) int {
	var frame splayNode[T]
	smaller, larger, top := &frame, &frame, s.root
	var order int
walk:
	for {
		order = s.compare(value, top.value)
		switch {
		case order < 0:
			if top.left == nil {
				break walk
			}
			if order = s.compare(value, top.left.value); order < 0 {
				child := top.left
				top.left, child.right = child.right, top
				if top = child; top.left == nil {
					break walk
				}
			}
			larger.left, larger, top = top, top, top.left
		case order > 0:
			if top.right == nil {
				break walk
			}
			if order = s.compare(value, top.right.value); order > 0 {
				child := top.right
				top.right, child.left = child.left, top
				if top = child; top.right == nil {
					break walk
				}
			}
			smaller.right, smaller, top = top, top, top.right
		default:
			break walk
		}
	}
	smaller.right, larger.left = top.left, top.right
	top.left, top.right = frame.right, frame.left
	s.root = top
	return order
}

// treeIn gives the tree of one ACL's values that slot keeps, a new one at first. what
// names the kind of value; one that lies in another is told in 2.6's words. order
// compares a narrow value with a wide one, so it is tried both ways.
func treeIn[T any](slot **splay[T], b *builder, what string, order func(narrow, wide T) int) *splay[T] {
	if *slot != nil {
		return *slot
	}
	*slot = &splay[T]{compare: func(fresh, old T) int {
		narrow, wide := old, fresh
		at := order(narrow, wide)
		if at != 0 {
			narrow, wide = fresh, old
			at = order(narrow, wide)
		}
		if at == 0 {
			b.say("WARNING: '%v' is a sub%s of '%v'", narrow, what, wide)
			b.say("WARNING: because of this '%v' is ignored to keep splay tree searching predictable", fresh)
			b.say("WARNING: You should probably remove '%v' from the ACL named '%s'", narrow, b.aclName)
		}
		return at
	}}
	return *slot
}
