namespace KestrelAcme.Storage.FileSystem;

/// <summary>What a name in a folder stands for.</summary>
internal enum FileKind
{
    Other,
    Regular,
    Folder,
    Link,
}
