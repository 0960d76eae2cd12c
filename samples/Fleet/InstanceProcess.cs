using System.Diagnostics;

namespace Fleet;

/// <summary>One instance: a process whose lines are shown with its number.</summary>
internal sealed class InstanceProcess
{
    private readonly Process _process;

    private InstanceProcess(int number, Process process) => (Number, _process) = (number, process);

    public int Number { get; }

    /// <summary>The port of HTTP; 0 until the instance listens.</summary>
    public int HttpPort { get; private set; }

    /// <summary>The port of HTTPS; 0 until the instance listens.</summary>
    public int HttpsPort { get; private set; }

    public bool HasExited => _process.HasExited;

    public static InstanceProcess Start(int number, IReadOnlyDictionary<string, string?> settings)
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

        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0;https://127.0.0.1:0";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        var process = new Process { StartInfo = start };
        var instance = new InstanceProcess(number, process);
        process.OutputDataReceived += (_, line) => instance.Read(line.Data);
        process.ErrorDataReceived += (_, line) => instance.Read(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return instance;
    }

    /// <summary>Closes the standard input of the instance, which then ends, and waits for it.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Read(string? line)
    {
        if (line?.Split(' ') is ["listening", var http, var https])
        {
            (HttpPort, HttpsPort) = (new Uri(http).Port, new Uri(https).Port);
        }
        else if (line is not null)
        {
            Console.WriteLine($"  [{Number}] {line}");
        }
    }
}
