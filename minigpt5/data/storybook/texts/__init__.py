"""What is said in the storybook's training chats: words, requests, changes, questions, stories, small talk."""
