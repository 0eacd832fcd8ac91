print("beanspike")
