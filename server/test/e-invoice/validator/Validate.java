import com.helger.diagnostics.error.IError;
import com.helger.diagnostics.error.level.EErrorLevel;
import com.helger.diver.api.coord.DVRCoordinate;
import com.helger.io.resource.FileSystemResource;
import com.helger.phive.api.execute.ValidationExecutionManager;
import com.helger.phive.api.executorset.ValidationExecutorSetRegistry;
import com.helger.phive.api.validity.IValidityDeterminator;
import com.helger.phive.en16931.EN16931Validation;
import com.helger.phive.peppol.PeppolValidation2026_05;
import com.helger.phive.xml.source.IValidationSourceXML;
import com.helger.phive.xml.source.ValidationSourceXML;
import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;

/** Validates the XML files of a folder: a line for each, "ok NAME" or "FAIL NAME: RULE message | …", and exit code 1. */
public final class Validate {
  public static void main(String[] args) throws Exception {
    var registry = new ValidationExecutorSetRegistry<IValidationSourceXML>();
    EN16931Validation.initEN16931(registry);
    PeppolValidation2026_05.init(registry);
    var files = new File(args[0]).listFiles((folder, name) -> name.endsWith(".xml"));
    Arrays.sort(files);
    var failed = 0;
    for (var file : files) {
      var text = Files.readString(file.toPath());
      var isPeppol = text.contains("urn:fdc:peppol.eu:2017:poacc:billing:3.0");
      var isCredit = text.contains("<CreditNote ");
      DVRCoordinate id =
          isPeppol
              ? (isCredit
                  ? PeppolValidation2026_05.VID_OPENPEPPOL_CREDIT_NOTE_UBL_V3
                  : PeppolValidation2026_05.VID_OPENPEPPOL_INVOICE_UBL_V3)
              : (isCredit
                  ? EN16931Validation.VID_UBL_CREDIT_NOTE_1315
                  : EN16931Validation.VID_UBL_INVOICE_1315);
      var result =
          ValidationExecutionManager.executeValidation(
              IValidityDeterminator.createDefault(),
              registry.getOfID(id),
              ValidationSourceXML.create(new FileSystemResource(file)),
              Locale.US);
      // Warnings of the syntax binding (UBL-CR, UBL-SR) count too: nothing superfluous is written. But for NO-R-002, by which
      // most Norwegian sellers name a register: whether one has to, only itself knows.
      var faults = new ArrayList<IError>();
      result.forEachFlattened(
          each -> {
            if (each.getErrorLevel().isGT(EErrorLevel.INFO) && !"NO-R-002".equals(each.getErrorID()))
              faults.add(each);
          });
      if (faults.isEmpty()) {
        System.out.println("ok " + file.getName() + " (" + id.getAsSingleID() + ")");
        continue;
      }
      failed += 1;
      var told = new StringBuilder();
      faults.forEach(
          each -> told.append(" | ").append(each.getErrorLevel().getID()).append(' ').append(each.getErrorID())
              .append(' ').append(each.getErrorText(Locale.US)));
      System.out.println("FAIL " + file.getName() + told);
    }
    System.exit(failed == 0 && files.length > 0 ? 0 : 1);
  }
}
