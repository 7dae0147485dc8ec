"""Looking at a picture before it may leave: faces, text, documents and screens, codes, and what the file says besides the picture.

The finders run in a process of their own (`python -m app.media.look`) without sockets; `link.LookLink` is the other end of its pipe. This
side never imports OpenCV. A finder that could not look says "not checked", never "nothing found".
"""
