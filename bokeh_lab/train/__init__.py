"""The paper's training recipe: three stages on ray-traced clips (section 3.4)."""
