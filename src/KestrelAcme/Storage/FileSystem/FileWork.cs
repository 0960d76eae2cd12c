using System.Runtime.CompilerServices;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Runs blocking file-system work on the thread pool, and converts its errors to <see cref="StorageUnavailableException"/>.
/// </summary>
internal static class FileWork
{
    private const int MaxAttempts = 8;

    /// <summary>Works on the file at <paramref name="path"/>.</summary>
    public static ValueTask<T> OnFileAsync<T>(string action, string path, Func<T> work, CancellationToken cancellationToken)
        => RunAsync(action, path, isFile: true, work, "StoragePath", cancellationToken);

    /// <summary>Works on the folder at <paramref name="path"/>.</summary>
    public static ValueTask<T> OnFolderAsync<T>(string action, string path, Func<T> work, CancellationToken cancellationToken)
        => RunAsync(action, path, isFile: false, work, "StoragePath", cancellationToken);

    /// <summary>Works on a folder of exported certificates.</summary>
    public static ValueTask<T> OnExportAsync<T>(string action, string path, Func<T> work, CancellationToken cancellationToken)
        => RunAsync(action, path, isFile: false, work, "ExportPath", cancellationToken);

    /// <summary>
    /// Waits a moment for another process to close a file. Uses real time even if
    /// the store's clock is a fake one, because the other process runs in real time.
    /// </summary>
    public static Task PauseAsync(int attempt, CancellationToken cancellationToken)
        => Task.Delay(TimeSpan.FromMilliseconds(Math.Min(1 << Math.Min(attempt, 5), 20)), TimeProvider.System, cancellationToken);

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    private static async ValueTask<T> RunAsync<T>(
        string action, string path, bool isFile, Func<T> work, string setting, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                // A hung network share must not block a caller that was canceled.
                return await Task.Run(work, cancellationToken).WaitAsync(cancellationToken);
            }
            catch (Exception exception) when (FileFault.Covers(exception))
            {
                if (attempt + 1 >= MaxAttempts || !IsPassing(exception))
                {
                    throw FileFault.Explain(action, path, isFile, exception, setting);
                }
            }

            await PauseAsync(attempt, cancellationToken);
        }
    }

    // Windows denies replacing a file while a reader or a virus scanner has it open.
    private static bool IsPassing(Exception exception)
        => FileFault.IsLocked(exception) || (OperatingSystem.IsWindows() && exception is UnauthorizedAccessException);
}
