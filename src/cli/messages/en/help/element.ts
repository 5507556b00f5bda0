// English help of the command `element`.
export const elementHelp = {
  element: { is: 'list and show elements, compare them between folders, change their set-up fields' },
  elementList: {
    is: 'list the elements of a folder',
    type: 'type of the elements, such as ATB (default: all)',
    folder: 'folder (default: the supervisor folder)',
  },
  elementShow: {
    is: 'show an element with its lines, or its difference between two folders',
    element: 'element, as TYPE:NAME',
    folder: 'folder (default: the supervisor folder)',
    against: 'only what differs from this folder',
  },
  elementSet: {
    is: 'change set-up fields of an element, which patches keep from then on',
    element: 'element, as TYPE:NAME',
    values: 'fields and their values; FIELD[2]=VALUE for one place of an array',
    folder: 'folder (default: the supervisor folder)',
    record: 'line, as TAG:KEY (default: the header)',
  },
};
