namespace KestrelAcme.Tests.Storage.Export;

/// <summary>Holds a folder as a mount of it does, by a process that is in it: its path may lead elsewhere, this one does not.</summary>
internal sealed class FolderHandle : IDisposable
{
    private readonly System.Diagnostics.Process _process;

    public FolderHandle(string path) => _process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sleep", "120") { WorkingDirectory = path })!;

    public string Path => $"/proc/{_process.Id}/cwd";

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
