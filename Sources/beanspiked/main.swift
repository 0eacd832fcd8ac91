print("beanspiked")
