using System.Diagnostics;

namespace Fleet;

/// <summary>One instance: a process whose lines are shown with its number.</summary>
internal sealed class InstanceProcess
{
    private readonly Process _process;

    private InstanceProcess(int number, int httpsPort, Process process) => (Number, HttpsPort, _process) = (number, httpsPort, process);

    public int Number { get; }

    public int HttpsPort { get; }

    public bool HasExited => _process.HasExited;

    public static InstanceProcess Start(int number, int httpPort, int httpsPort, IReadOnlyDictionary<string, string?> settings)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        start.ArgumentList.Add("instance");
        start.ArgumentList.Add($"{number}");
        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{httpPort};https://127.0.0.1:{httpsPort}";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Print(number, line.Data);
        process.ErrorDataReceived += (_, line) => Print(number, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new InstanceProcess(number, httpsPort, process);
    }

    /// <summary>Closes the standard input of the instance, which then ends, and waits for it.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static void Print(int number, string? line)
    {
        if (line is not null)
        {
            Console.WriteLine($"  [{number}] {line}");
        }
    }
}
