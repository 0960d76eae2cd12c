using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Something stands in the place of a file that is none, or that leads to one elsewhere. The message continues "could not read it: ...".</summary>
internal sealed class NotRegularFileException(string message) : IOException(QuotedText.Of(message));
