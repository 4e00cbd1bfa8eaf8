"""Pictures for the page: image planes, and decoded pictures on a grid."""
