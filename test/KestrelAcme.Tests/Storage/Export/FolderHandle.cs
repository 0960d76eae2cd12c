namespace KestrelAcme.Tests.Storage.Export;

/// <summary>
/// Keeps a folder open like a mount of it, by a process whose working directory it is, even if its path later leads elsewhere.
/// </summary>
internal sealed class FolderHandle : IDisposable
{
    private readonly System.Diagnostics.Process _process;

    public FolderHandle(string path)
    {
        var start = new System.Diagnostics.ProcessStartInfo("sleep", "120") { WorkingDirectory = path };
        _process = System.Diagnostics.Process.Start(start)!;
    }

    public string Path => $"/proc/{_process.Id}/cwd";

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
