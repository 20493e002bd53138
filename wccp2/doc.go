package wccp2
