using System.Globalization;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.StorageChild;

// COMMAND ROOT [ARGUMENT...]: works on the store below ROOT as an instance of the app would.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: check|list|write|fill|full|hold|contend|count|present|share|delay ROOT [ARGUMENT...]");
    return 2;
}

var log = new CountingLogger();
var traits = new FolderTraits { LocksAreLocal = Environment.GetEnvironmentVariable("STORAGE_LOCKS") == "local" };
using var storage = new FileSystemStorage(args[1], WrongDate.FromEnvironment(), log, traits: traits);
return args[0] switch
{
    "check" => await Commands.CheckAsync(storage),
    "list" => await Commands.ListAsync(storage, args[2], log),
    "write" => await Commands.WriteAsync(storage, args[2]),
    "fill" => await Commands.FillAsync(storage),
    "full" => await Commands.ReleaseOnFullDiskAsync(storage, args[1], args[2]),
    "hold" => await Commands.HoldAsync(storage, args[2]),
    "contend" => await Commands.ContendAsync(storage, args[2], args[3], int.Parse(args[4], CultureInfo.InvariantCulture)),
    "count" => await CountCommand.RunAsync(
        storage, args[2], int.Parse(args[3], CultureInfo.InvariantCulture), int.Parse(args[4], CultureInfo.InvariantCulture)),
    "delay" => await Commands.SayDelayAsync(storage),
    "share" => await ShareCommand.RunAsync(storage, args[1], log),
    "present" => await DnsCommand.PresentAsync(storage, args[2], args[3], args[4]),
    _ => 2,
};
