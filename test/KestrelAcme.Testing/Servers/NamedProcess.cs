using System.Net;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>A named process with its own folder and control channel.</summary>
internal sealed class NamedProcess : IAsyncDisposable
{
    private const string AppArmorProfile = "/etc/apparmor.d/usr.sbin.named";

    private readonly TemporaryFolder _folder = new();
    private readonly string _secret;
    private readonly int _controlPort = FreePort.Tcp();
    private ChildProcess? _process;

    public NamedProcess(IPEndPoint address, string secret) => (Address, _secret) = (address, secret);

    public IPEndPoint Address { get; }

    public string Output => _process?.Output ?? "";

    public string WriteFile(string name, string content) => _folder.Write(name, content);

    public string PathOf(string name) => _folder.Combine(name);

    /// <summary>Starts the process and waits until it responds for <paramref name="zone"/>.</summary>
    public async Task StartAsync(string zone, string zonesConfiguration, CancellationToken cancellationToken)
    {
        var configuration = WriteFile("named.conf", CreateConfiguration(zonesConfiguration));
        _process = ChildProcess.Start(FindExecutable(), ["-g", "-4", "-n", "1", "-c", configuration], workingFolder: _folder.Path);
        await StartAttempts.UntilAnswersAsync(
            _process, async token => (await Dig.QueryAsync(Address, zone, "SOA", token)).Count > 0, cancellationToken);
        if (Output.Contains("address in use", StringComparison.Ordinal))
        {
            // named starts in spite of this; the responses then come from another server.
            throw new ServerStartException($"named could not bind {Address}. Output:\n{Output}");
        }
    }

    public Task<string> ControlAsync(string[] command, CancellationToken cancellationToken) =>
        Command.RunToSuccessAsync(
            RequireServer.Installed("rndc", "bind9-utils"),
            ["-c", WriteFile("rndc.conf", CreateControlConfiguration()), .. command],
            cancellationToken: cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    // With AppArmor, Debian confines /usr/sbin/named to its own folders. The profile depends on the path, so a copy can read a temporary
    // folder.
    private string FindExecutable()
    {
        var installed = RequireServer.Installed("named", "bind9");
        if (!File.Exists(AppArmorProfile) || !Directory.Exists("/sys/kernel/security/apparmor"))
        {
            return installed;
        }

        var copy = _folder.Combine("named");
        File.Copy(installed, copy, overwrite: true);
        return copy;
    }

    private string CreateConfiguration(string zones) => $$"""
        options {
          directory "{{_folder.Path}}";
          pid-file none;
          session-keyfile none;
          managed-keys-directory "{{_folder.Path}}";
          listen-on port {{Address.Port}} { {{Address.Address}}; };
          listen-on-v6 { none; };
          query-source address {{Address.Address}};
          transfer-source {{Address.Address}};
          recursion no;
          dnssec-validation no;
          empty-zones-enable no;
          notify no;
          allow-transfer { 127.0.0.0/8; };
        };
        key "control" { algorithm hmac-sha256; secret "{{_secret}}"; };
        controls { inet 127.0.0.1 port {{_controlPort}} allow { 127.0.0.1; } keys { "control"; }; };
        {{zones}}
        """;

    private string CreateControlConfiguration() => $$"""
        key "control" { algorithm hmac-sha256; secret "{{_secret}}"; };
        options { default-key "control"; default-server 127.0.0.1; default-port {{_controlPort}}; };
        """;
}
